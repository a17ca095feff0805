-- Verify store:setup/schema on pg
BEGIN;
SET LOCAL search_path = nasty;
DO $$ BEGIN ASSERT twice(21) = 42; END $$;
DO $$ BEGIN ASSERT current_user = session_user, 'a role leaked'; END $$;
ROLLBACK;
