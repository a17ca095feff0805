begin;
revoke usage on schema nasty from pg_monitor;
commit;
