begin;
do $$ begin assert has_schema_privilege('pg_monitor', 'nasty', 'usage'); end $$;
rollback;
