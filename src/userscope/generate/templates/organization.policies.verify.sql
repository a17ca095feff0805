-- Verify §{policies}:§{table} on pg
--
-- Everything that app_user, app_auth, app_gate and PUBLIC may do here, and nothing beyond it. Roles of your own are not judged.

begin;

select app_private.verify_access('§{policies}:§{table}', 'app.§{table}', $$
    app_user may delete
    app_user may insert (id, §{written})
    app_user may select (§{every})
    app_user may update (§{written})
    permissive policy delete_own for delete to {app_user} using (organization_id = ( SELECT §{by_seen}))
    permissive policy insert_own for insert to {app_user} check (organization_id = ( SELECT app.current_organization_id() AS current_organization_id))
    permissive policy select_own for select to {app_user} using (organization_id = ( SELECT app.current_organization_id() AS current_organization_id))
    permissive policy update_own for update to {app_user} using (organization_id = ( SELECT app.current_organization_id() AS current_organization_id))
    permissive policy update_own for update to {app_user} check (organization_id = ( SELECT app.current_organization_id() AS current_organization_id))
$$);

rollback;
