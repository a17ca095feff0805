-- Deploy store:notes to pg
begin;
create table nasty.notes (
    id integer primary key,
    user_id integer not null references nasty.users deferrable initially deferred,
    title text not null
);
insert into nasty.notes values (1, 1, 'one');
create temporary table scratch on commit drop as select * from nasty.notes;
savepoint here;
delete from nasty.notes;
rollback to savepoint here;
release savepoint here;
commit;
