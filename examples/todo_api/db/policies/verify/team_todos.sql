-- Verify example_policies:team_todos on pg
--
-- Everything that app_user, app_auth, app_gate and PUBLIC may do here, and nothing beyond it. Roles of your own are not judged.

begin;

select app_private.verify_access('example_policies:team_todos', 'app.team_todos', $$
    app_user may delete
    app_user may insert (id, title, completed)
    app_user may select (organization_id, id, title, completed, created_by, created_at, updated_at)
    app_user may update (title, completed)
    permissive policy delete_own for delete to {app_user} using (organization_id = ( SELECT app.current_organization_id() AS current_organization_id))
    permissive policy insert_own for insert to {app_user} check (organization_id = ( SELECT app.current_organization_id() AS current_organization_id))
    permissive policy select_own for select to {app_user} using (organization_id = ( SELECT app.current_organization_id() AS current_organization_id))
    permissive policy update_own for update to {app_user} using (organization_id = ( SELECT app.current_organization_id() AS current_organization_id))
    permissive policy update_own for update to {app_user} check (organization_id = ( SELECT app.current_organization_id() AS current_organization_id))
$$);

rollback;
