-- Revert store:setup/schema from pg
BEGIN;
DROP FUNCTION nasty.later();
DROP FUNCTION nasty.twice(integer);
DROP SCHEMA nasty;
COMMIT WORK;
