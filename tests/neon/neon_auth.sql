-- What Neon Auth keeps in a branch, as far as a profile can meet it: its own names, camel case and quoted.
create schema neon_auth;

create table neon_auth."user" (
    id              uuid        not null default gen_random_uuid() primary key,
    name            text        not null,
    email           text        not null unique,
    "emailVerified" boolean     not null,
    image           text,
    "createdAt"     timestamptz not null default current_timestamp,
    "updatedAt"     timestamptz not null default current_timestamp,
    role            text,
    banned          boolean,
    "banReason"     text,
    "banExpires"    timestamptz
);

create table neon_auth.session (
    id                     uuid        not null default gen_random_uuid() primary key,
    "expiresAt"            timestamptz not null,
    token                  text        not null unique,
    "createdAt"            timestamptz not null default current_timestamp,
    "updatedAt"            timestamptz not null,
    "ipAddress"            text,
    "userAgent"            text,
    "userId"               uuid        not null references neon_auth."user" on delete cascade,
    "impersonatedBy"       text,
    "activeOrganizationId" text
);

create table neon_auth.account (
    id                      uuid        not null default gen_random_uuid() primary key,
    "accountId"             text        not null,
    "providerId"            text        not null,
    "userId"                uuid        not null references neon_auth."user" on delete cascade,
    "accessToken"           text,
    "refreshToken"          text,
    "idToken"               text,
    "accessTokenExpiresAt"  timestamptz,
    "refreshTokenExpiresAt" timestamptz,
    scope                   text,
    password                text,
    "createdAt"             timestamptz not null default current_timestamp,
    "updatedAt"             timestamptz not null
);
