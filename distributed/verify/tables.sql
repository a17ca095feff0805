-- Verify distributed:tables on pg
-- in place of: schema:users policies:users policies:todos policies:better_auth
--
-- Where tables lie, and everything that app_user, app_auth, app_gate and PUBLIC may do with them. Roles of your own are not
-- judged.

begin;

select app_private.verify('distributed:tables', 'Citus', $$
    app.accounts lies on the coordinator
    app.invitations lies whole on every node
    app.members lies whole on every node
    app.organizations lies whole on every node
    app.sessions lies on the coordinator
    app.todos lies by owner_id
    app.users lies whole on every node
$$, exactly => false, actual => array(
    select format('%s lies %s', logicalrelid, case when partmethod = 'h' then 'by ' || column_to_column_name(logicalrelid, partkey)
                                                   when repmodel = 't' then 'whole on every node' else 'on the coordinator' end)
      from pg_dist_partition
));

select app_private.verify_table('distributed:tables', 'app.todos', $$
    CREATE TRIGGER judge AFTER INSERT ON app.todos FOR EACH ROW EXECUTE FUNCTION app.judge()
    CREATE TRIGGER stamp BEFORE INSERT ON app.todos FOR EACH ROW EXECUTE FUNCTION app.stamp()
$$);

select app_private.verify_table('distributed:tables', 'app.users', $$
    row-level security enabled and forced, owned by the owner of the schema
    column id uuid not null default gen_random_uuid() statistics 0
    column name text not null statistics 0
    column email text not null statistics 0
    column email_verified boolean not null default false statistics 0
    column image text statistics 0
    column username text statistics 0
    column display_username text statistics 0
    column created_at timestamp with time zone not null default now() statistics 0
    column updated_at timestamp with time zone not null default now() statistics 0
    constraint users_email_check CHECK (((email ~ '^[!-@[-~]+$'::text) AND (char_length(email) <= 254)))
    constraint users_email_key UNIQUE (email)
    constraint users_pkey PRIMARY KEY (id)
    constraint users_username_check CHECK ((username ~ '^[a-z0-9_.]{3,30}$'::text))
    constraint users_username_key UNIQUE (username)
    CREATE TRIGGER touch BEFORE UPDATE ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch_alike()
$$);

select app_private.verify_table('distributed:tables', 'app.account', $$
    view of app_gate, {security_barrier=true}: SELECT id, name, email, email_verified, image, username, display_username, created_at, updated_at FROM app.account() account(id, name, email, email_verified, image, username, display_username, created_at, updated_at) OFFSET 0;
    CREATE TRIGGER write INSTEAD OF UPDATE ON app.account FOR EACH ROW EXECUTE FUNCTION app_fenced.write_account()
$$);

select app_private.verify_function('distributed:tables', 'app_fenced.write_account()', $$
    owned by app_gate
    plpgsql volatile security definer {"search_path=pg_catalog, pg_temp"}
    body with md5 e731b3ebbfb9ee79962933334546a17b
$$);

-- A trigger asks for no right to its function: nobody has one.
select app_private.verify_execution('distributed:tables', 'app_fenced.write_account()', '');

select app_private.verify_access('distributed:tables', 'app.users', $$
    app_auth may delete
    app_auth may insert (id, name, email, email_verified, image, username, display_username, created_at, updated_at)
    app_auth may select (id, name, email, email_verified, image, username, display_username, created_at, updated_at)
    app_auth may update (name, email, email_verified, image, username, display_username, updated_at)
    app_gate may select (id, name, email, email_verified, image, username, display_username, created_at, updated_at)
    app_gate may update (name, image)
    permissive policy delete_auth for delete to {app_auth} using true
    permissive policy insert_auth for insert to {app_auth} check true
    permissive policy select_auth for select to {app_auth} using true
    permissive policy select_own for select to {app_gate} using (id = app.current_user_id())
    permissive policy update_auth for update to {app_auth} using true
    permissive policy update_auth for update to {app_auth} check true
    permissive policy update_own for update to {app_gate} using (id = app.current_user_id())
    permissive policy update_own for update to {app_gate} check (id = app.current_user_id())
$$);

select app_private.verify_access('distributed:tables', 'app.account', $$
    app_user may select (id, name, email, email_verified, image, username, display_username, created_at, updated_at)
    app_user may update (name, image)
$$);

select app_private.verify_access('distributed:tables', 'app.todos', $$
    app_user may delete
    app_user may insert (owner_id, id, title, description, completed, due_at, created_at, updated_at)
    app_user may select (owner_id, id, title, description, completed, due_at, created_at, updated_at)
    app_user may update (title, description, completed, due_at)
    permissive policy delete_own for delete to {app_user} using ((owner_id = app.current_user_id()) AND (owner_id = (app.shard_key())::uuid))
    permissive policy insert_own for insert to {app_user} check ((owner_id = app.current_user_id()) AND (owner_id = (app.shard_key())::uuid))
    permissive policy select_own for select to {app_user} using ((owner_id = app.current_user_id()) AND (owner_id = (app.shard_key())::uuid))
    permissive policy update_own for update to {app_user} using ((owner_id = app.current_user_id()) AND (owner_id = (app.shard_key())::uuid))
    permissive policy update_own for update to {app_user} check ((owner_id = app.current_user_id()) AND (owner_id = (app.shard_key())::uuid))
$$);

select app_private.verify_access('distributed:tables', 'app.accounts', $$
    app_auth may delete
    app_auth may insert (id, user_id, account_id, provider_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at)
    app_auth may select (id, user_id, account_id, provider_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at)
    app_auth may update (provider_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, updated_at)
    permissive policy delete_auth for delete to {app_auth} using true
    permissive policy insert_auth for insert to {app_auth} check true
    permissive policy select_auth for select to {app_auth} using true
    permissive policy update_auth for update to {app_auth} using true
    permissive policy update_auth for update to {app_auth} check true
$$);

select app_private.verify_access('distributed:tables', 'app.jwks', $$
    app_auth may insert (public_key, private_key, alg, crv, created_at, expires_at)
    app_auth may select (id, public_key, private_key, alg, crv, created_at, expires_at)
    permissive policy insert_auth for insert to {app_auth} check true
    permissive policy select_auth for select to {app_auth} using true
$$);

select app_private.verify_access('distributed:tables', 'app.sessions', $$
    app_auth may delete
    app_auth may insert (id, user_id, token, expires_at, ip_address, user_agent, created_at, updated_at, active_organization_id)
    app_auth may select (id, user_id, token, expires_at, ip_address, user_agent, created_at, updated_at, active_organization_id)
    app_auth may update (expires_at, updated_at, active_organization_id)
    permissive policy delete_auth for delete to {app_auth} using true
    permissive policy insert_auth for insert to {app_auth} check true
    permissive policy select_auth for select to {app_auth} using true
    permissive policy update_auth for update to {app_auth} using true
    permissive policy update_auth for update to {app_auth} check true
$$);

select app_private.verify_access('distributed:tables', 'app.verifications', $$
    app_auth may delete
    app_auth may insert (identifier, value, expires_at, created_at, updated_at)
    app_auth may select (id, identifier, value, expires_at, created_at, updated_at)
    permissive policy delete_auth for delete to {app_auth} using true
    permissive policy insert_auth for insert to {app_auth} check true
    permissive policy select_auth for select to {app_auth} using true
$$);

rollback;
