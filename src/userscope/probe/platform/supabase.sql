-- What stands in for the platform when migrations are tried without it: the roles, schemas, tables, functions and grants
-- that migrations of a Supabase project count on. Written for that; it does nothing else.
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create role authenticator login noinherit;
create role supabase_admin nologin superuser;
create role supabase_auth_admin nologin;
create role supabase_storage_admin nologin;
create role dashboard_user nologin;
grant anon, authenticated, service_role to authenticator;

create schema extensions;
create schema auth;
create schema storage;
create schema realtime;
create schema graphql_public;
create schema vault;
create schema net;
create schema cron;
grant usage on schema public, auth, storage, extensions to anon, authenticated, service_role;
alter database :"DBNAME" set search_path = "$user", public, extensions;
set search_path = "$user", public, extensions;

create table auth.users (
    instance_id uuid, id uuid primary key default gen_random_uuid(), aud text, role text, email text unique,
    encrypted_password text, email_confirmed_at timestamptz, invited_at timestamptz, confirmed_at timestamptz,
    last_sign_in_at timestamptz, raw_app_meta_data jsonb, raw_user_meta_data jsonb, is_super_admin boolean,
    created_at timestamptz default now(), updated_at timestamptz default now(), phone text, banned_until timestamptz,
    deleted_at timestamptz, is_sso_user boolean not null default false, is_anonymous boolean not null default false
);
create table auth.identities (
    id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users on delete cascade,
    provider text, provider_id text, identity_data jsonb, email text, created_at timestamptz default now()
);
create table auth.sessions (
    id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users on delete cascade,
    created_at timestamptz default now()
);
create table auth.mfa_factors (
    id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users on delete cascade,
    status text, factor_type text
);
create function auth.jwt() returns jsonb language sql stable
    as $$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb $$;
create function auth.uid() returns uuid language sql stable as $$ select (auth.jwt() ->> 'sub')::uuid $$;
create function auth.role() returns text language sql stable as $$ select auth.jwt() ->> 'role' $$;
create function auth.email() returns text language sql stable as $$ select auth.jwt() ->> 'email' $$;
grant execute on all functions in schema auth to anon, authenticated, service_role;

create table storage.buckets (
    id text primary key, name text not null unique, owner uuid, owner_id text, public boolean default false,
    avif_autodetection boolean default false, file_size_limit bigint, allowed_mime_types text[],
    created_at timestamptz default now(), updated_at timestamptz default now()
);
create table storage.objects (
    id uuid primary key default gen_random_uuid(), bucket_id text references storage.buckets, name text, owner uuid,
    owner_id text, metadata jsonb, user_metadata jsonb, version text, path_tokens text[], created_at timestamptz default now(),
    updated_at timestamptz default now(), last_accessed_at timestamptz default now(), unique (bucket_id, name)
);
alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;
grant all on storage.buckets, storage.objects to anon, authenticated, service_role;
create function storage.foldername(name text) returns text[] language sql immutable
    as $$ select (string_to_array(name, '/'))[1 : array_length(string_to_array(name, '/'), 1) - 1] $$;
create function storage.filename(name text) returns text language sql immutable
    as $$ select split_part(name, '/', -1) $$;
create function storage.extension(name text) returns text language sql immutable
    as $$ select split_part(storage.filename(name), '.', -1) $$;

create function extensions.uuid_generate_v4() returns uuid language sql as $$ select gen_random_uuid() $$;
-- What stands in for pgcrypto and citext, which the embedded server has not: the same names, and no secrets.
create function extensions.gen_random_bytes(int) returns bytea language sql
    as $$ select substr(decode(replace(string_agg(gen_random_uuid()::text, ''), '-', ''), 'hex'), 1, $1)
            from generate_series(0, $1 / 16) $$;
create function extensions.gen_salt(text) returns text language sql as $$ select '$' || $1 || '$' $$;
create function extensions.gen_salt(text, int) returns text language sql as $$ select '$' || $1 || '$' $$;
create function extensions.crypt(text, text) returns text language sql immutable as $$ select $2 || md5($1) $$;
create function extensions.digest(text, text) returns bytea language sql immutable as $$ select sha256($1::bytea) $$;
create function extensions.digest(bytea, text) returns bytea language sql immutable as $$ select sha256($1) $$;
create function extensions.hmac(text, text, text) returns bytea language sql immutable
    as $$ select sha256(($2 || $1)::bytea) $$;
create domain extensions.citext as text;
create function net.http_post(url text, body jsonb default '{}', params jsonb default '{}', headers jsonb default '{}',
    timeout_milliseconds int default 0) returns bigint language sql as $$ select 0::bigint $$;
create function cron.schedule(job_name text, schedule text, command text) returns bigint language sql
    as $$ select 0::bigint $$;
create function realtime.topic() returns text language sql stable as $$ select '' $$;
create publication supabase_realtime;

alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
