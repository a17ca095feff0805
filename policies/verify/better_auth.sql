-- Verify policies:better_auth on pg
--
-- Everything that app_user, app_auth and PUBLIC may do here, and nothing beyond it. Roles of your own are not judged.

begin;

select app_private.verify_access('policies:better_auth', 'app.accounts', $$
    app_auth may delete
    app_auth may insert (user_id, account_id, provider_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at)
    app_auth may select (id, user_id, account_id, provider_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at)
    app_auth may update (provider_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, updated_at)
    permissive policy delete_auth for delete to {app_auth} using true
    permissive policy insert_auth for insert to {app_auth} check true
    permissive policy select_auth for select to {app_auth} using true
    permissive policy update_auth for update to {app_auth} using true
    permissive policy update_auth for update to {app_auth} check true
$$);

select app_private.verify_access('policies:better_auth', 'app.jwks', $$
    app_auth may insert (public_key, private_key, alg, crv, created_at, expires_at)
    app_auth may select (id, public_key, private_key, alg, crv, created_at, expires_at)
    permissive policy insert_auth for insert to {app_auth} check true
    permissive policy select_auth for select to {app_auth} using true
$$);

select app_private.verify_access('policies:better_auth', 'app.sessions', $$
    app_auth may delete
    app_auth may insert (user_id, token, expires_at, ip_address, user_agent, created_at, updated_at, active_organization_id)
    app_auth may select (id, user_id, token, expires_at, ip_address, user_agent, created_at, updated_at, active_organization_id)
    app_auth may update (expires_at, updated_at, active_organization_id)
    permissive policy delete_auth for delete to {app_auth} using true
    permissive policy insert_auth for insert to {app_auth} check true
    permissive policy select_auth for select to {app_auth} using true
    permissive policy update_auth for update to {app_auth} using true
    permissive policy update_auth for update to {app_auth} check true
$$);

select app_private.verify_access('policies:better_auth', 'app.verifications', $$
    app_auth may delete
    app_auth may insert (identifier, value, expires_at, created_at, updated_at)
    app_auth may select (id, identifier, value, expires_at, created_at, updated_at)
    permissive policy delete_auth for delete to {app_auth} using true
    permissive policy insert_auth for insert to {app_auth} check true
    permissive policy select_auth for select to {app_auth} using true
$$);

rollback;
