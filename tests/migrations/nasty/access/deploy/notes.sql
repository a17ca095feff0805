-- Deploy access:notes to pg
begin;
alter table nasty.notes enable row level security, force row level security;
create policy titles on nasty.notes for select to pg_monitor using (title <> '');
grant select on nasty.notes to pg_monitor;
commit;
