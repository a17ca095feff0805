-- Revert policies:todos from pg

begin;

-- Revoking a privilege on a table revokes it on each of its columns as well.
revoke all on app.todos from app_user;

drop policy delete_own on app.todos;
drop policy update_own on app.todos;
drop policy insert_own on app.todos;
drop policy select_own on app.todos;

select app_private.admit_owner('app.todos', admitted => false);

commit;
