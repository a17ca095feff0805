begin;
delete from nasty.notes where id = 2;
delete from nasty.users where id = 3;
set constraints all immediate;
alter table nasty.users drop mood;
drop type nasty.mood;
commit;
