begin;
drop table nasty.notes;
commit;
