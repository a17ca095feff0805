-- Deploy schema:better_auth to pg
-- requires: users
--
-- The other tables of Better Auth: sessions, accounts (ways to sign in), verifications and the keys of its JWTs. They
-- hold secrets, and are for app_auth alone. Better Auth itself keeps their timestamps.

begin;

create table app.sessions (
    id                     uuid        not null default gen_random_uuid() primary key,
    user_id                uuid        not null constraint sessions_user_id_fkey references app.users on delete cascade,
    token                  text        not null constraint sessions_token_key unique,
    expires_at             timestamptz not null,
    ip_address             text,
    user_agent             text,
    created_at             timestamptz not null default now(),
    updated_at             timestamptz not null default now(),
    active_organization_id uuid
);

create table app.accounts (
    id                       uuid        not null default gen_random_uuid() primary key,
    user_id                  uuid        not null constraint accounts_user_id_fkey references app.users on delete cascade,
    account_id               text        not null,
    provider_id              text        not null,
    access_token             text,
    refresh_token            text,
    id_token                 text,
    access_token_expires_at  timestamptz,
    refresh_token_expires_at timestamptz,
    scope                    text,
    password                 text,
    created_at               timestamptz not null default now(),
    updated_at               timestamptz not null default now(),
    constraint accounts_provider_id_account_id_key unique (provider_id, account_id)
);

create table app.verifications (
    id         uuid        not null default gen_random_uuid() primary key,
    identifier text        not null,
    value      text        not null,
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table app.jwks (
    id          uuid        not null default gen_random_uuid() primary key,
    public_key  text        not null,
    private_key text        not null,
    alg         text,
    crv         text,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz
);

-- Closed until a policy opens them, to their owner as well.
alter table app.sessions enable row level security, force row level security;
alter table app.accounts enable row level security, force row level security;
alter table app.verifications enable row level security, force row level security;
alter table app.jwks enable row level security, force row level security;

create index sessions_user_id_idx on app.sessions (user_id);
comment on index app.sessions_user_id_idx is 'A user''s sessions, and the cascade when the user goes.';
create index accounts_user_id_idx on app.accounts (user_id);
comment on index app.accounts_user_id_idx is 'A user''s ways to sign in, and the cascade when the user goes.';
create index verifications_identifier_idx on app.verifications (identifier);
comment on index app.verifications_identifier_idx is 'The verification that a link or a code names.';

comment on table app.sessions is 'A browser that is signed in. For the identity provider alone.';
comment on column app.sessions.token is 'What the browser''s cookie carries; a secret.';
comment on column app.sessions.active_organization_id is 'The organization that the browser is in, where there are organizations.';
comment on table app.accounts is 'A way for a user to sign in: a password, or an account at a provider. For the identity provider alone.';
comment on column app.accounts.password is 'The password''s scrypt hash, where the provider is “credential”.';
comment on table app.verifications is 'A link or code that was sent and not yet used. For the identity provider alone.';
comment on table app.jwks is 'The keys that Better Auth signs JWTs with. For the identity provider alone.';
comment on column app.jwks.private_key is 'Encrypted with BETTER_AUTH_SECRET.';
comment on constraint sessions_pkey on app.sessions is 'There is already a session with this id.';
comment on constraint sessions_user_id_fkey on app.sessions is 'The user of this session does not exist.';
comment on constraint sessions_token_key on app.sessions is 'There is already a session with this token.';
comment on constraint accounts_pkey on app.accounts is 'There is already an account with this id.';
comment on constraint accounts_user_id_fkey on app.accounts is 'The user of this account does not exist.';
comment on constraint accounts_provider_id_account_id_key on app.accounts is 'This account of the provider is already linked to a user.';
comment on constraint verifications_pkey on app.verifications is 'There is already a verification with this id.';
comment on constraint jwks_pkey on app.jwks is 'There is already a key with this id.';

commit;
