-- Verify distributed:organizations on pg
-- in place of: schema:organizations policies:organizations
--
-- What answers reads this node's own copies; and everything that app_user, app_auth, app_gate, app_roster and PUBLIC may do
-- with organizations. Roles of your own are not judged.

begin;

select app_private.verify_table('distributed:organizations', 'app.organizations', $$
    row-level security enabled and forced, owned by the owner of the schema
    column id uuid not null default gen_random_uuid() statistics 0
    column name text not null statistics 0
    column slug text not null statistics 0
    column logo text statistics 0
    column metadata text statistics 0
    column created_at timestamp with time zone not null default now() statistics 0
    constraint organizations_pkey PRIMARY KEY (id)
    constraint organizations_slug_check CHECK (((slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text) AND (char_length(slug) <= 100)))
    constraint organizations_slug_key UNIQUE (slug)
$$);

select app_private.verify_table('distributed:organizations', 'app.members', $$
    row-level security enabled and forced, owned by the owner of the schema
    column id uuid not null default gen_random_uuid()
    column organization_id uuid not null statistics 0
    column user_id uuid not null statistics 0
    column role text not null default 'member'::text statistics 0
    column created_at timestamp with time zone not null default now() statistics 0
    constraint members_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES app.organizations(id) ON DELETE CASCADE
    constraint members_organization_id_user_id_key UNIQUE (organization_id, user_id)
    constraint members_pkey PRIMARY KEY (id)
    constraint members_role_check CHECK (((role ~ '^[A-Za-z0-9_-]+(,[A-Za-z0-9_-]+)*$'::text) AND (char_length(role) <= 255)))
    constraint members_user_id_fkey FOREIGN KEY (user_id) REFERENCES app.users(id) ON DELETE CASCADE
    CREATE INDEX members_user_id_idx ON app.members USING btree (user_id)
    CREATE CONSTRAINT TRIGGER members_owner AFTER DELETE OR UPDATE ON app.members DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (('owner'::text = ANY (string_to_array(old.role, ','::text)))) EXECUTE FUNCTION app_fenced.keep_owner()
$$);

select app_private.verify_table('distributed:organizations', 'app.invitations', $$
    row-level security enabled and forced, owned by the owner of the schema
    column id uuid not null default gen_random_uuid()
    column organization_id uuid not null
    column email text not null
    column role text
    column status text not null default 'pending'::text
    column expires_at timestamp with time zone not null
    column created_at timestamp with time zone not null default now()
    column inviter_id uuid not null
    constraint invitations_email_check CHECK (((email ~ '^[!-@[-~]+$'::text) AND (char_length(email) <= 254)))
    constraint invitations_inviter_id_fkey FOREIGN KEY (inviter_id) REFERENCES app.users(id) ON DELETE CASCADE
    constraint invitations_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES app.organizations(id) ON DELETE CASCADE
    constraint invitations_pkey PRIMARY KEY (id)
    constraint invitations_role_check CHECK (((role ~ '^[A-Za-z0-9_-]+(,[A-Za-z0-9_-]+)*$'::text) AND (char_length(role) <= 255)))
    constraint invitations_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'accepted'::text, 'rejected'::text, 'canceled'::text])))
    CREATE INDEX invitations_email_idx ON app.invitations USING btree (email)
    CREATE INDEX invitations_inviter_id_idx ON app.invitations USING btree (inviter_id)
    CREATE INDEX invitations_organization_id_idx ON app.invitations USING btree (organization_id)
$$);

select app_private.verify_table('distributed:organizations', 'app.sessions', $$
    constraint sessions_active_organization_id_fkey FOREIGN KEY (active_organization_id) REFERENCES app.organizations(id) ON DELETE SET NULL
    CREATE INDEX sessions_active_organization_id_idx ON app.sessions USING btree (active_organization_id)
$$);

select app_private.verify_table('distributed:organizations', 'app.organization', $$
    view of app_gate, {security_barrier=true}: SELECT id, name, slug, logo, metadata, created_at FROM app.organization() organization(id, name, slug, logo, metadata, created_at) OFFSET 0;
$$);

select app_private.verify_table('distributed:organizations', 'app.memberships', $$
    view of app_gate, {security_barrier=true}: SELECT organization_id, name, slug, logo, role, created_at FROM app.memberships() memberships(organization_id, name, slug, logo, role, created_at) OFFSET 0;
$$);

-- The bodies as they are on one node, and which of their tables each reads by the name of this node's own copy.
select app_private.verify('distributed:organizations', 'functions', $$
    app.account() of app_gate, sql stable security definer {"search_path=pg_catalog, pg_temp"}: 9ebe0907f25563b7bef56887106f2304 reads users
    app.colleagues() of app_roster, sql stable security definer {"search_path=pg_catalog, pg_temp"}: 025aa446d0a99caac58910c1a682d3d1 reads members users
    app.current_organization_id(text[]) of app_gate, plpgsql stable security definer {"search_path=pg_catalog, pg_temp"}: e991407c63ec73acd720753a063a452f reads members
    app.memberships() of app_gate, sql stable security definer {"search_path=pg_catalog, pg_temp"}: a188a45b16b427d5b92e16c7f81f6893 reads members organizations
    app.my_invitations() of app_roster, sql stable security definer {"search_path=pg_catalog, pg_temp"}: 8b6d2a9dcd03b7f8d5eaf8531293293e reads invitations organizations users
    app.organization() of app_gate, sql stable security definer {"search_path=pg_catalog, pg_temp"}: 14bc6d93eacee5cbd0320c56faf758c2 reads organizations
    app.set_organization_id(text) of the owner of the schema, plpgsql volatile security invoker: 52f7b0ef0a1a1e982bca2a3c8a9d9ffb reads
    app_fenced.keep_owner() of app_roster, plpgsql volatile security definer {"search_path=pg_catalog, pg_temp"}: c7015943623437ad6669e180cf53acf5 reads members organizations users
    app_fenced.own_organizations() of the owner of the schema, sql stable security invoker {"search_path=pg_catalog, pg_temp"}: 15ba8c24baa03ec9145de30fef5cbe98 reads members
$$, exactly => true, actual => array(
    select format('%s of %s, %s: %s reads%s', pg_proc.oid::regprocedure, case when proowner = nspowner then 'the owner of the schema' else proowner::regrole::text end,
                  concat_ws(' ', lanname, case provolatile when 's' then 'stable' else 'volatile' end, 'security',
                            case when prosecdef then 'definer' else 'invoker' end, proconfig),
                  md5(regexp_replace(regexp_replace(plain, '(app[.]([a-z]+))_[0-9]+ as \2', '\1', 'g'), '[[:space:]]+', ' ', 'g')),
                  (select string_agg(' ' || relname, '' order by relname) from pg_class join pg_dist_shard on logicalrelid = pg_class.oid
                    where prosrc ~ format('app[.]%s_%s[[:>:]]', relname, shardid)))
      from pg_proc
      join pg_language on pg_language.oid = prolang
      join pg_namespace on pg_namespace.oid = pronamespace,
           -- Up to PostgreSQL 15 the columns of a view over one table are written with its name.
           lateral (select case when proname in ('account', 'organization')
                                then regexp_replace(prosrc, '[[:<:]](users|organizations)[.]', '', 'g') else prosrc end) as bodies (plain)
     where pg_proc.oid = any ('{app.account(), app.organization(), app.memberships(), app_fenced.own_organizations(),
                                app_fenced.keep_owner(), app.set_organization_id(text), app.current_organization_id(text[]),
                                app.colleagues(), app.my_invitations()}'::regprocedure[])
));
-- A trigger asks for no right to its function: nobody has one.
select app_private.verify_execution('distributed:organizations', 'app_fenced.keep_owner()', '');

select app_private.verify_role('app_roster');

select app_private.verify_access('distributed:organizations', 'app.organizations', $$
    app_auth may delete
    app_auth may insert (id, name, slug, logo, metadata, created_at)
    app_auth may select (id, name, slug, logo, metadata, created_at)
    app_auth may update (name, slug, logo, metadata)
    app_gate may select (id, name, slug, logo, metadata, created_at)
    permissive policy delete_auth for delete to {app_auth} using true
    permissive policy insert_auth for insert to {app_auth} check true
    permissive policy select_auth for select to {app_auth} using true
    permissive policy select_own for select to {app_gate} using (id = ANY (app_fenced.own_organizations()))
    permissive policy update_auth for update to {app_auth} using true
    permissive policy update_auth for update to {app_auth} check true
$$);

select app_private.verify_access('distributed:organizations', 'app.members', $$
    app_auth may delete
    app_auth may insert (id, organization_id, user_id, role, created_at)
    app_auth may select (id, organization_id, user_id, role, created_at)
    app_auth may update (role)
    app_gate may select (organization_id, user_id, role, created_at)
    permissive policy delete_auth for delete to {app_auth} using true
    permissive policy insert_auth for insert to {app_auth} check true
    permissive policy select_auth for select to {app_auth} using true
    permissive policy select_own for select to {app_gate} using (user_id = app.current_user_id())
    permissive policy update_auth for update to {app_auth} using true
    permissive policy update_auth for update to {app_auth} check true
$$);

select app_private.verify_access('distributed:organizations', 'app.invitations', $$
    app_auth may delete
    app_auth may insert (id, organization_id, email, role, status, expires_at, created_at, inviter_id)
    app_auth may select (id, organization_id, email, role, status, expires_at, created_at, inviter_id)
    app_auth may update (status, expires_at)
    permissive policy delete_auth for delete to {app_auth} using true
    permissive policy insert_auth for insert to {app_auth} check true
    permissive policy select_auth for select to {app_auth} using true
    permissive policy update_auth for update to {app_auth} using true
    permissive policy update_auth for update to {app_auth} check true
$$);

select app_private.verify_access('distributed:organizations', 'app.organization', $$
    app_user may select (id, name, slug, logo, metadata, created_at)
$$);

select app_private.verify_access('distributed:organizations', 'app.memberships', $$
    app_user may select (organization_id, name, slug, logo, role, created_at)
$$);

select app_private.verify_execution('distributed:organizations', 'app.set_organization_id(text)', 'app_user may execute');
select app_private.verify_execution('distributed:organizations', 'app.current_organization_id(text[])', 'app_user may execute');
select app_private.verify_execution('distributed:organizations', 'app.colleagues()', 'app_user may execute');
select app_private.verify_execution('distributed:organizations', 'app.my_invitations()', 'app_user may execute');

-- app_roster, wherever it may do anything.
select app_private.verify_reach('distributed:organizations', 'app_roster', $$
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
    usage on app_fenced
$$, copies => true);

rollback;
