-- Verify schema:better_auth on pg

begin;

-- Definitions come out alike whatever the session's own path is.
set local search_path = pg_catalog, pg_temp;

do $$
declare
    missing text;
begin
    with wanted (fact) as (values
        ('app.sessions: row-level security enabled and forced, owned by the owner of the schema'),
        ('app.sessions: column id uuid not null default gen_random_uuid()'),
        ('app.sessions: column user_id uuid not null'),
        ('app.sessions: column token text not null'),
        ('app.sessions: column expires_at timestamp with time zone not null'),
        ('app.sessions: column ip_address text'),
        ('app.sessions: column user_agent text'),
        ('app.sessions: column created_at timestamp with time zone not null default now()'),
        ('app.sessions: column updated_at timestamp with time zone not null default now()'),
        ('app.sessions: constraint sessions_pkey PRIMARY KEY (id)'),
        ('app.sessions: constraint sessions_token_key UNIQUE (token)'),
        ('app.sessions: constraint sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES app.users(id) ON DELETE CASCADE'),
        ('app.sessions: CREATE INDEX sessions_user_id_idx ON app.sessions USING btree (user_id)'),
        ('app.accounts: row-level security enabled and forced, owned by the owner of the schema'),
        ('app.accounts: column id uuid not null default gen_random_uuid()'),
        ('app.accounts: column user_id uuid not null'),
        ('app.accounts: column account_id text not null'),
        ('app.accounts: column provider_id text not null'),
        ('app.accounts: column access_token text'),
        ('app.accounts: column refresh_token text'),
        ('app.accounts: column id_token text'),
        ('app.accounts: column access_token_expires_at timestamp with time zone'),
        ('app.accounts: column refresh_token_expires_at timestamp with time zone'),
        ('app.accounts: column scope text'),
        ('app.accounts: column password text'),
        ('app.accounts: column created_at timestamp with time zone not null default now()'),
        ('app.accounts: column updated_at timestamp with time zone not null default now()'),
        ('app.accounts: constraint accounts_pkey PRIMARY KEY (id)'),
        ('app.accounts: constraint accounts_provider_id_account_id_key UNIQUE (provider_id, account_id)'),
        ('app.accounts: constraint accounts_user_id_fkey FOREIGN KEY (user_id) REFERENCES app.users(id) ON DELETE CASCADE'),
        ('app.accounts: CREATE INDEX accounts_user_id_idx ON app.accounts USING btree (user_id)'),
        ('app.verifications: row-level security enabled and forced, owned by the owner of the schema'),
        ('app.verifications: column id uuid not null default gen_random_uuid()'),
        ('app.verifications: column identifier text not null'),
        ('app.verifications: column value text not null'),
        ('app.verifications: column expires_at timestamp with time zone not null'),
        ('app.verifications: column created_at timestamp with time zone not null default now()'),
        ('app.verifications: column updated_at timestamp with time zone not null default now()'),
        ('app.verifications: constraint verifications_pkey PRIMARY KEY (id)'),
        ('app.verifications: CREATE INDEX verifications_identifier_idx ON app.verifications USING btree (identifier)'),
        ('app.jwks: row-level security enabled and forced, owned by the owner of the schema'),
        ('app.jwks: column id uuid not null default gen_random_uuid()'),
        ('app.jwks: column public_key text not null'),
        ('app.jwks: column private_key text not null'),
        ('app.jwks: column alg text'),
        ('app.jwks: column crv text'),
        ('app.jwks: column created_at timestamp with time zone not null default now()'),
        ('app.jwks: column expires_at timestamp with time zone'),
        ('app.jwks: constraint jwks_pkey PRIMARY KEY (id)')
    ),
    tables as (select unnest(array['app.sessions', 'app.accounts', 'app.verifications', 'app.jwks']::regclass[]) as oid),
    found (fact) as (
        select format('%s: row-level security enabled and forced, owned by the owner of the schema', oid::regclass)
          from pg_class
         where oid in (select oid from tables) and relrowsecurity and relforcerowsecurity
           and relowner = (select nspowner from pg_namespace where pg_namespace.oid = relnamespace)
        union all
        select format('%s: column %s %s%s%s%s', attrelid::regclass, attname, format_type(atttypid, atttypmod),
                      case when attnotnull then ' not null' end, ' default ' || pg_get_expr(adbin, adrelid),
                      case when attstattarget = 0 then ' statistics 0' end)
          from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
         where attrelid in (select oid from tables) and attnum > 0
        union all
        select format('%s: constraint %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
          from pg_constraint
         where conrelid in (select oid from tables) and convalidated
        union all
        select format('%s: %s', indrelid::regclass, pg_get_indexdef(indexrelid))
          from pg_index
         where indrelid in (select oid from tables) and indisvalid
        union all
        select format('%s: %s', tgrelid::regclass, pg_get_triggerdef(oid))
          from pg_trigger
         where tgrelid in (select oid from tables) and tgenabled in ('O', 'A')
    )
    select string_agg(fact, '; ') into missing from (select fact from wanted except select fact from found) as gaps;
    if missing is not null then
        raise exception 'schema:better_auth is not as it was deployed' using detail = 'Missing: ' || missing || '.';
    end if;
end
$$;

rollback;
