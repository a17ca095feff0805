-- Deploy access:base to pg
begin;
revoke select on nasty.notes from pg_monitor;
grant select (title) on nasty.notes to pg_monitor;
commit;
