-- Deploy store:setup/schema to pg
BEGIN;
SET LOCAL search_path = pg_catalog;
SET client_min_messages = error;
CREATE SCHEMA nasty;
COMMENT ON SCHEMA nasty IS 'It''s a "schema"; with a semicolon; and $$dollars$$.';
/* a comment; /* nested; */ BEGIN; */
CREATE FUNCTION nasty.twice(i integer) RETURNS integer LANGUAGE sql
BEGIN ATOMIC
    SELECT i + i;
END;
CREATE FUNCTION nasty.later() RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
    -- COMMIT;
    RETURN $inner$;$inner$ || E'\';' || 'BEGIN;';
END
$body$;
SET LOCAL ROLE pg_monitor;
END;
