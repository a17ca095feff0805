begin;
revoke select on nasty.notes from pg_monitor;
drop policy titles on nasty.notes;
alter table nasty.notes disable row level security, no force row level security;
commit;
