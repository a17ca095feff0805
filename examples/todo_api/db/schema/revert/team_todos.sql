-- Revert example_schema:team_todos from pg

begin;

drop table app.team_todos;

commit;
