-- Deploy store:users to pg
-- requires: setup/schema
start transaction isolation level serializable;
create table nasty.users (id integer primary key, name text not null);
insert into nasty.users values (1, 'Ada'), (2, E'Bob\\');
commit transaction;
