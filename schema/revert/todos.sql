-- Revert schema:todos from pg

begin;

drop table app.todos;

commit;
