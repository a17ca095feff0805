-- Verify schema:better_auth on pg

begin;

select app_private.verify_table('schema:better_auth', 'app.sessions', $$
    row-level security enabled and forced, owned by the owner of the schema
    column id uuid not null default gen_random_uuid()
    column user_id uuid not null
    column token text not null
    column expires_at timestamp with time zone not null
    column ip_address text
    column user_agent text
    column created_at timestamp with time zone not null default now()
    column updated_at timestamp with time zone not null default now()
    column active_organization_id uuid
    constraint sessions_pkey PRIMARY KEY (id)
    constraint sessions_token_key UNIQUE (token)
    constraint sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES app.users(id) ON DELETE CASCADE
    CREATE INDEX sessions_user_id_idx ON app.sessions USING btree (user_id)
$$);

select app_private.verify_table('schema:better_auth', 'app.accounts', $$
    row-level security enabled and forced, owned by the owner of the schema
    column id uuid not null default gen_random_uuid()
    column user_id uuid not null
    column account_id text not null
    column provider_id text not null
    column access_token text
    column refresh_token text
    column id_token text
    column access_token_expires_at timestamp with time zone
    column refresh_token_expires_at timestamp with time zone
    column scope text
    column password text
    column created_at timestamp with time zone not null default now()
    column updated_at timestamp with time zone not null default now()
    constraint accounts_pkey PRIMARY KEY (id)
    constraint accounts_provider_id_account_id_key UNIQUE (provider_id, account_id)
    constraint accounts_user_id_fkey FOREIGN KEY (user_id) REFERENCES app.users(id) ON DELETE CASCADE
    CREATE INDEX accounts_user_id_idx ON app.accounts USING btree (user_id)
$$);

select app_private.verify_table('schema:better_auth', 'app.verifications', $$
    row-level security enabled and forced, owned by the owner of the schema
    column id uuid not null default gen_random_uuid()
    column identifier text not null
    column value text not null
    column expires_at timestamp with time zone not null
    column created_at timestamp with time zone not null default now()
    column updated_at timestamp with time zone not null default now()
    constraint verifications_pkey PRIMARY KEY (id)
    CREATE INDEX verifications_identifier_idx ON app.verifications USING btree (identifier)
$$);

select app_private.verify_table('schema:better_auth', 'app.jwks', $$
    row-level security enabled and forced, owned by the owner of the schema
    column id uuid not null default gen_random_uuid()
    column public_key text not null
    column private_key text not null
    column alg text
    column crv text
    column created_at timestamp with time zone not null default now()
    column expires_at timestamp with time zone
    constraint jwks_pkey PRIMARY KEY (id)
$$);

rollback;
