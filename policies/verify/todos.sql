-- Verify policies:todos on pg
--
-- Everything that app_user, app_auth and PUBLIC may do here, and nothing beyond it. Roles of your own are not judged.

begin;

select app_private.verify_access('policies:todos', 'app.todos', $$
    app_user may delete
    app_user may insert (id, title, description, completed, due_at)
    app_user may select (owner_id, id, title, description, completed, due_at, created_at, updated_at)
    app_user may update (title, description, completed, due_at)
    permissive policy delete_own for delete to {app_user} using (owner_id = ( SELECT app.current_user_id() AS current_user_id))
    permissive policy insert_own for insert to {app_user} check (owner_id = ( SELECT app.current_user_id() AS current_user_id))
    permissive policy select_own for select to {app_user} using (owner_id = ( SELECT app.current_user_id() AS current_user_id))
    permissive policy update_own for update to {app_user} using (owner_id = ( SELECT app.current_user_id() AS current_user_id))
    permissive policy update_own for update to {app_user} check (owner_id = ( SELECT app.current_user_id() AS current_user_id))
$$);

rollback;
