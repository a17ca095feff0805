-- Deploy store:titles to pg
-- What cannot run in a transaction comes after one.
begin;
alter table nasty.notes alter title set statistics 10;
commit;
drop index concurrently if exists nasty.notes_title_idx;
create index concurrently notes_title_idx on nasty.notes (title);
