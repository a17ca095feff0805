begin;
revoke select (title) on nasty.notes from pg_monitor;
grant select on nasty.notes to pg_monitor;
commit;
