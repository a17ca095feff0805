-- Deploy schema:users to pg
-- requires: app
--
-- People. This is Better Auth's user table (its models, our names); it writes the timestamps it is given. Services have
-- no right on it: an index on e-mail addresses would tell all of them. They reach one's own account through a fence.

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

-- The barrier keeps estimates from the table's statistics, offset 0 every condition of the reader's from its rows.
create view app.account with (security_barrier) as
    select id, name, email, email_verified, image, username, display_username, created_at, updated_at
      from app.users
    offset 0;
comment on view app.account is 'One''s own account, whole: fenced, so that nobody learns of another''s even by guessing.';

-- What is written was computed from the row as the statement saw it: it counts only if the row is still that.
create function app_fenced.write_account() returns trigger
    language plpgsql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    update app.users as t
       set name = new.name, image = new.image
     where t.id = old.id
       and (t.name, t.email, t.email_verified, t.image, t.username, t.display_username, t.created_at, t.updated_at)
           is not distinct from
           (old.name, old.email, old.email_verified, old.image, old.username, old.display_username, old.created_at,
            old.updated_at)
    returning t.id, t.name, t.email, t.email_verified, t.image, t.username, t.display_username, t.created_at, t.updated_at
         into new;
    if found then
        return new;
    elsif exists (select from app.users as t where t.id = old.id) then
        raise exception 'could not serialize access due to concurrent update' using errcode = '40001';
    end if;
    return null;
end
$$;
comment on function app_fenced.write_account() is
    'Trigger: changes one''s own account. Raises 40001 where it was changed since the statement saw it.';
revoke all on function app_fenced.write_account() from public;

create trigger write instead of update on app.account for each row execute function app_fenced.write_account();
comment on trigger write on app.account is 'Changes one''s own account.';

-- To the role that the table's policies bind. It may make nothing else in the schemas.
grant create on schema app, app_fenced to app_gate;
alter view app.account owner to app_gate;
alter function app_fenced.write_account() owner to app_gate;
revoke create on schema app, app_fenced from app_gate;

commit;
