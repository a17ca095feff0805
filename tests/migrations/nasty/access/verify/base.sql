begin;
do $$ begin assert not has_table_privilege('pg_monitor', 'nasty.notes', 'select'); end $$;
rollback;
