-- Verify policies:organizations on pg
--
-- Everything that app_user, app_auth, app_gate, app_roster and PUBLIC may do here, and nothing beyond it. Roles of your
-- own are not judged.

begin;

select app_private.verify_access('policies:organizations', 'app.organizations', $$
    app_auth may delete
    app_auth may insert (name, slug, logo, metadata, created_at)
    app_auth may select (id, name, slug, logo, metadata, created_at)
    app_auth may update (name, slug, logo, metadata)
    app_gate may select (id, name, slug, logo, metadata, created_at)
    permissive policy delete_auth for delete to {app_auth} using true
    permissive policy insert_auth for insert to {app_auth} check true
    permissive policy select_auth for select to {app_auth} using true
    permissive policy select_own for select to {app_gate} using (id = ANY (ARRAY( SELECT members.organization_id<U+000A>   FROM app.members<U+000A>  WHERE (members.user_id = ( SELECT app.current_user_id() AS current_user_id)))))
    permissive policy update_auth for update to {app_auth} using true
    permissive policy update_auth for update to {app_auth} check true
$$);

select app_private.verify_access('policies:organizations', 'app.members', $$
    app_auth may delete
    app_auth may insert (organization_id, user_id, role, created_at)
    app_auth may select (id, organization_id, user_id, role, created_at)
    app_auth may update (role)
    app_gate may select (organization_id, user_id, role, created_at)
    permissive policy delete_auth for delete to {app_auth} using true
    permissive policy insert_auth for insert to {app_auth} check true
    permissive policy select_auth for select to {app_auth} using true
    permissive policy select_own for select to {app_gate} using (user_id = ( SELECT app.current_user_id() AS current_user_id))
    permissive policy update_auth for update to {app_auth} using true
    permissive policy update_auth for update to {app_auth} check true
$$);

select app_private.verify_access('policies:organizations', 'app.invitations', $$
    app_auth may delete
    app_auth may insert (organization_id, email, role, status, expires_at, created_at, inviter_id)
    app_auth may select (id, organization_id, email, role, status, expires_at, created_at, inviter_id)
    app_auth may update (status, expires_at)
    permissive policy delete_auth for delete to {app_auth} using true
    permissive policy insert_auth for insert to {app_auth} check true
    permissive policy select_auth for select to {app_auth} using true
    permissive policy update_auth for update to {app_auth} using true
    permissive policy update_auth for update to {app_auth} check true
$$);

select app_private.verify_access('policies:organizations', 'app.organization', $$
    app_user may select (id, name, slug, logo, metadata, created_at)
$$);

select app_private.verify_access('policies:organizations', 'app.memberships', $$
    app_user may select (organization_id, name, slug, logo, role, created_at)
$$);

select app_private.verify_execution('policies:organizations', 'app.set_organization_id(text)', 'app_user may execute');
select app_private.verify_execution('policies:organizations', 'app.current_organization_id(text[])', 'app_user may execute');
select app_private.verify_execution('policies:organizations', 'app.colleagues()', 'app_user may execute');
select app_private.verify_execution('policies:organizations', 'app.my_invitations()', 'app_user may execute');

-- app_roster, wherever it may do anything.
select app_private.verify_reach('policies:organizations', 'app_roster', $$
    execute on app.current_organization_id(text[])
    execute on app.current_user_id()
    execute on app.current_user_key()
    policy select_roster on app.invitations for select using true
    policy select_roster on app.members for select using true
    policy select_roster on app.organizations for select using true
    policy select_roster on app.users for select using true
    policy update_roster on app.organizations for update using true check true
    select on app.invitations (id, organization_id, email, role, status, expires_at, inviter_id)
    select on app.members (organization_id, user_id, role, created_at)
    select on app.organizations (id, name, slug)
    select on app.users (id, name, email, email_verified, image)
    update on app.organizations (name)
    usage on app
$$, copies => false);

rollback;
