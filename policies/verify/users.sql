-- Verify policies:users on pg
--
-- Everything that app_user, app_auth, app_gate and PUBLIC may do here, and nothing beyond it. Roles of your own are not judged.

begin;

select app_private.verify_access('policies:users', 'app.users', $$
    app_auth may delete
    app_auth may insert (id, name, email, email_verified, image, username, display_username, created_at, updated_at)
    app_auth may select (id, name, email, email_verified, image, username, display_username, created_at, updated_at)
    app_auth may update (name, email, email_verified, image, username, display_username, updated_at)
    app_gate may select (id, name, email, email_verified, image, username, display_username, created_at, updated_at)
    app_gate may update (name, image)
    permissive policy delete_auth for delete to {app_auth} using true
    permissive policy insert_auth for insert to {app_auth} check true
    permissive policy select_auth for select to {app_auth} using true
    permissive policy select_own for select to {app_gate} using (id = ( SELECT app.current_user_id() AS current_user_id))
    permissive policy update_auth for update to {app_auth} using true
    permissive policy update_auth for update to {app_auth} check true
    permissive policy update_own for update to {app_gate} using (id = ( SELECT app.current_user_id() AS current_user_id))
    permissive policy update_own for update to {app_gate} check (id = ( SELECT app.current_user_id() AS current_user_id))
$$);

select app_private.verify_access('policies:users', 'app.account', $$
    app_user may select (id, name, email, email_verified, image, username, display_username, created_at, updated_at)
    app_user may update (name, image)
$$);

rollback;
