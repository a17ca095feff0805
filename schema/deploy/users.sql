-- Deploy schema:users to pg
-- requires: app
--
-- People. This is Better Auth's user table (its models, our names); it writes the timestamps it is given.

begin;

create table app.users (
    id               uuid        not null default gen_random_uuid() primary key,
    name             text        not null,
    -- Better Auth and Accounts lower an address before they write it. ASCII ranges, not lower(): what lower() does to
    -- an É depends on the database's locale, and the answer must not.
    email            text        not null constraint users_email_key unique
                                 constraint users_email_check check (email ~ '^[!-@[-~]+$' and char_length(email) <= 254),
    email_verified   boolean     not null default false,
    image            text,
    username         text        constraint users_username_key unique
                                 constraint users_username_check check (username ~ '^[a-z0-9_.]{3,30}$'),
    display_username text,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now()
);

-- Closed until a policy opens it, to its owner as well.
alter table app.users enable row level security, force row level security;

-- EXPLAIN must not tell which values occur: it reads the statistics of rows that a policy hides. Said before the first
-- ANALYZE, since statistics that exist would stay.
alter table app.users
    alter id               set statistics 0,
    alter name             set statistics 0,
    alter email            set statistics 0,
    alter email_verified   set statistics 0,
    alter image            set statistics 0,
    alter username         set statistics 0,
    alter display_username set statistics 0,
    alter created_at       set statistics 0,
    alter updated_at       set statistics 0;

create trigger touch before update on app.users for each row execute function app.touch();

comment on table app.users is 'A person with an account. Everything they own goes when they go.';
comment on column app.users.name is 'What to call them; may be empty.';
comment on column app.users.email is 'Where to reach them, in lower case.';
comment on column app.users.email_verified is 'Whether they have shown that the address is theirs.';
comment on column app.users.image is 'The address of a picture of them.';
comment on column app.users.username is 'A name to sign in with, in lower case; null for who signs in by e-mail alone.';
comment on column app.users.display_username is 'The username as they typed it.';
comment on column app.users.updated_at is 'Set by the database whenever the row changes.';
comment on constraint users_pkey on app.users is 'There is already a user with this id.';
comment on constraint users_email_key on app.users is 'This e-mail address is already taken.';
comment on constraint users_email_check on app.users is
    'An e-mail address is in lower case, has no blanks and at most 254 characters, all of them ASCII.';
comment on constraint users_username_key on app.users is 'This username is already taken.';
comment on constraint users_username_check on app.users is
    'A username has 3 to 30 characters: lower-case letters a to z, digits, underscores and dots.';
comment on trigger touch on app.users is 'Keeps updated_at.';

commit;
