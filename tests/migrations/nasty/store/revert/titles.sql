drop index concurrently if exists nasty.notes_title_idx;
alter table nasty.notes alter title set statistics -1;
