-- Verify schema:organizations on pg

begin;

select app_private.verify_table('schema:organizations', 'app.organizations', $$
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

select app_private.verify_table('schema:organizations', 'app.members', $$
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

select app_private.verify_table('schema:organizations', 'app.invitations', $$
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

select app_private.verify_table('schema:organizations', 'app.sessions', $$
    constraint sessions_active_organization_id_fkey FOREIGN KEY (active_organization_id) REFERENCES app.organizations(id) ON DELETE SET NULL
    CREATE INDEX sessions_active_organization_id_idx ON app.sessions USING btree (active_organization_id)
$$);

select app_private.verify_table('schema:organizations', 'app.organization', $$
    view of app_gate, {security_barrier=true}: SELECT id, name, slug, logo, metadata, created_at FROM app.organizations WHERE (id = ( SELECT app.current_organization_id() AS current_organization_id)) OFFSET 0;
$$);

select app_private.verify_table('schema:organizations', 'app.memberships', $$
    view of app_gate, {security_barrier=true}: SELECT members.organization_id, organizations.name, organizations.slug, organizations.logo, members.role, members.created_at FROM (app.members JOIN app.organizations ON ((organizations.id = members.organization_id))) OFFSET 0;
$$);

select app_private.verify_function('schema:organizations', 'app.set_organization_id(text)', $$
    owned by the owner of the schema
    sql volatile security invoker
    body with md5 6ea119092116f95e4f12b58f11cd7746
$$);
select app_private.verify_function('schema:organizations', 'app.current_organization_id(text[])', $$
    owned by app_gate
    plpgsql stable security definer {"search_path=pg_catalog, pg_temp"}
    body with md5 e5b4950a755d88d7c0ed555cd1d03668
$$);
select app_private.verify_function('schema:organizations', 'app.colleagues()', $$
    owned by app_roster
    sql stable security definer {"search_path=pg_catalog, pg_temp"}
    body with md5 1c8cbbe7c9e6f430e27ebac69101a724
$$);
select app_private.verify_function('schema:organizations', 'app.my_invitations()', $$
    owned by app_roster
    sql stable security definer {"search_path=pg_catalog, pg_temp"}
    body with md5 16e65295dc26e0a17a4760bc0c1feecf
$$);
select app_private.verify_function('schema:organizations', 'app_fenced.keep_owner()', $$
    owned by app_roster
    plpgsql volatile security definer {"search_path=pg_catalog, pg_temp"}
    body with md5 69d9a4e4f6efa69166abaa1a26486c90
$$);

-- A trigger asks for no right to its function: nobody has one.
select app_private.verify_execution('schema:organizations', 'app_fenced.keep_owner()', '');

select app_private.verify_role('app_roster');

rollback;
