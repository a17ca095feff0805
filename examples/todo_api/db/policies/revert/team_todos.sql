-- Revert example_policies:team_todos from pg

begin;

revoke all on app.team_todos from app_user;

drop policy delete_own on app.team_todos;
drop policy update_own on app.team_todos;
drop policy insert_own on app.team_todos;
drop policy select_own on app.team_todos;
select app_private.admit_owner('app.team_todos', admitted => false);

commit;
