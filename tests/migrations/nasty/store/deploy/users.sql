-- Deploy store:users to pg
begin;
create type nasty.mood as enum ('fine');
alter table nasty.users add mood nasty.mood not null default 'fine';
set constraints all deferred;
insert into nasty.notes values (2, 3, 'two');
insert into nasty.users values (3, 'Eve');
commit;
