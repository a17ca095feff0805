-- Deploy access:base to pg
begin;
revoke all on schema nasty from public;
grant usage on schema nasty to pg_monitor;
commit;
