-- Deploy schema:identity to pg
-- requires: app
--
-- Who a transaction acts for. Two settings carry it, both local to the transaction:
--   app.user_id    the user's id, as text: a uuid, or in an application with users of its own a number or a text
--   app.user_seal  <key id>.<expiry, unix seconds>.<hex HMAC-SHA256(key, '<user id>.<expiry>')>
-- Any SQL can change a setting, so a setting alone stops mistakes and not attackers. While app_private.sealing says
-- that a seal is required, an id counts only with a seal that was made with a key the SQL channel never carries.
--
-- userscope discards plans between users, so whatever is planned here is planned for each transaction. Hence the row of
-- app_private.sealing is not read for each: it decides, by a trigger, which of two bodies app.current_user_key() has. The one
-- that accepts no seal as well reads it all the same, and so closes where the trigger was passed by.

begin;

create table app_private.seal_keys (
    id         text        not null primary key
                           constraint seal_keys_id_check check (id ~ '^[A-Za-z0-9_-]{1,32}$'),
    inner_pad  bytea       not null constraint seal_keys_inner_pad_check check (octet_length(inner_pad) = 64),
    outer_pad  bytea       not null constraint seal_keys_outer_pad_check check (octet_length(outer_pad) = 64),
    created_at timestamptz not null default now(),
    retired_at timestamptz
);
-- Enabled, so that pg_read_all_data sees no key; not forced, since the helper reads as the owner: forced, an owner
-- without BYPASSRLS would find no keys at all.
alter table app_private.seal_keys enable row level security;
comment on table app_private.seal_keys is 'Keys that identities are sealed with. Several can be active, so that one can replace another.';
comment on column app_private.seal_keys.inner_pad is 'HMAC''s key xor 0x36, padded to the 64 bytes of a SHA-256 block.';
comment on column app_private.seal_keys.outer_pad is 'HMAC''s key xor 0x5c, padded to the 64 bytes of a SHA-256 block.';
comment on column app_private.seal_keys.retired_at is 'When the key stopped being accepted; null while it is.';
comment on constraint seal_keys_id_check on app_private.seal_keys is 'A key id has 1 to 32 letters, digits, - or _.';
comment on constraint seal_keys_inner_pad_check on app_private.seal_keys is 'A padded key has 64 bytes.';
comment on constraint seal_keys_outer_pad_check on app_private.seal_keys is 'A padded key has 64 bytes.';
comment on constraint seal_keys_pkey on app_private.seal_keys is 'A key id names one key.';

create table app_private.sealing (
    one_row  boolean not null default true primary key
                     constraint sealing_one_row_check check (one_row),
    required boolean not null
);
alter table app_private.sealing enable row level security;
comment on table app_private.sealing is 'One row: whether an identity counts only with a seal. Without the row, with a seal only.';
comment on column app_private.sealing.required is 'True: an unsealed identity is refused. False: it is accepted, so that sealing can be introduced.';
comment on constraint sealing_one_row_check on app_private.sealing is 'There is one row.';
comment on constraint sealing_pkey on app_private.sealing is 'There is one row.';

-- One expression, and its text: the parser reads it in less time than PostgreSQL its own form of it. All names in it are
-- qualified, since a session may search elsewhere.
create function app.set_user_id(user_id text, seal text default '') returns text
    language sql volatile parallel unsafe security invoker
as $$
    select case when pg_catalog.set_config('app.user_seal', coalesce(seal, ''), true) is not null
                then pg_catalog.set_config('app.user_id', coalesce(user_id, ''), true) end
$$;
comment on function app.set_user_id(text, text) is
    'Acts for this user until the transaction ends. Pass both as bound parameters: a literal can be read in pg_stat_activity.';
revoke all on function app.set_user_id(text, text) from public;

-- Asked when an identity does not count: null where there is none, an error with the reason otherwise. No backslash in
-- the body: a session can change what one means (standard_conforming_strings).
create function app_private.refuse_identity() returns text
    language plpgsql stable parallel safe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    seal constant text := nullif(current_setting('app.user_seal', true), '');
begin
    if nullif(current_setting('app.user_id', true), '') is null then
        return null;
    elsif seal is null and not exists (select from app_private.sealing) then
        raise exception 'whether identities must be sealed cannot be read' using
            errcode = '28000',
            detail = 'app_private.sealing has no row, or row-level security hides it from its owner.',
            hint = 'The owner runs: insert into app_private.sealing (required) values (true);';
    elsif seal is null then
        raise exception 'the identity is not sealed' using
            errcode = '28000',
            detail = 'This database accepts app.user_id only with a valid app.user_seal.',
            hint = 'Give the service a seal key in USERSCOPE_SEAL_KEY.';
    elsif seal !~ '^[A-Za-z0-9_-]{1,32}[.][0-9]{1,12}[.][0-9a-f]{64}$' then
        raise exception 'the identity''s seal is malformed' using errcode = '28000';
    elsif not exists (select from app_private.seal_keys where id = split_part(seal, '.', 1) and retired_at is null) then
        raise exception 'the identity''s seal names no active key' using
            errcode = '28000',
            hint = 'Compare the key id of USERSCOPE_SEAL_KEY with: userscope seal-key list.';
    elsif split_part(seal, '.', 2)::bigint < extract(epoch from now()) then
        raise exception 'the identity''s seal has expired' using
            errcode = '28000',
            detail = format('It was good until %s, and the transaction began at %s by the database''s clock.',
                            to_timestamp(split_part(seal, '.', 2)::bigint), now()),
            hint = 'Seals are made anew for every transaction: compare the clocks of the service and the database.';
    end if;
    raise exception 'the identity''s seal does not fit' using errcode = '28000';
end
$$;
comment on function app_private.refuse_identity() is 'Null where there is no identity, else raises 28000 and tells why it does not count.';
revoke all on function app_private.refuse_identity() from public;

-- Whole seals are compared, as hashes: how long that takes tells nothing about the right one. An expiry has no dot, so the
-- last one ends the id, whatever an id holds: no two pairs are the same text. Every || makes null of a null.
-- The seal of each active key is made: PostgreSQL would take longer to plan how to find the one that is named.
-- now() is the transaction's start: a transaction that has begun outlives its seal.
create function app_private.verified_user_key() returns text
    language sql stable parallel safe security definer
    set search_path = pg_catalog, pg_temp
    return coalesce((
        select case when split_part(current_setting('app.user_seal', true), '.', 2)::bigint >= extract(epoch from now())
                    then nullif(current_setting('app.user_id', true), '') end
          from app_private.seal_keys
         where retired_at is null
           and sha256(convert_to(current_setting('app.user_seal', true), 'UTF8')) = sha256(convert_to(
                   id || '.' || split_part(current_setting('app.user_seal', true), '.', 2) || '.' ||
                   encode(sha256(outer_pad || sha256(inner_pad || convert_to(
                       current_setting('app.user_id', true) || '.' ||
                       split_part(current_setting('app.user_seal', true), '.', 2), 'UTF8'))), 'hex'), 'UTF8'))
    ), app_private.refuse_identity());
comment on function app_private.verified_user_key() is 'Whom a valid seal says this transaction acts for. Raises 28000 without one.';
revoke all on function app_private.verified_user_key() from public;

-- A wrong seal is refused also while none is required, so that a service that seals wrongly is noticed in time.
create function app_private.decide_sealing() returns trigger
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $decide$
declare
    required constant boolean := coalesce((select sealing.required from app_private.sealing), true);
begin
    execute 'create or replace function app.current_user_key() returns text parallel safe stable security definer
                 set search_path = pg_catalog, pg_temp ' || case
        when required then (select 'language sql ' || coalesce(pg_get_function_sqlbody(oid), format('as %L', prosrc))
                              from pg_proc where oid = 'app_private.verified_user_key()'::regprocedure)
        else $body$language plpgsql as $$
begin
    return case when current_setting('app.user_seal', true) <> '' or coalesce((select required from app_private.sealing), true)
                then app_private.verified_user_key() else nullif(current_setting('app.user_id', true), '') end;
end
$$$body$ end;
    return null;
end
$decide$;
comment on function app_private.decide_sealing() is
    'Trigger: gives app.current_user_key() the body of app_private.verified_user_key(), or one that accepts no seal as well.';
revoke all on function app_private.decide_sealing() from public;

create trigger decide after insert or update or delete or truncate on app_private.sealing
    for each statement execute function app_private.decide_sealing();
-- In a session that replicates or restores too. What logical replication applies passes by it all the same.
alter table app_private.sealing enable always trigger decide;
comment on trigger decide on app_private.sealing is 'What the row says holds, from the commit on.';

-- Said aloud rather than read off the presence of keys: a lost key must close the door, not open it.
insert into app_private.sealing (required) values (false);

comment on function app.current_user_key() is
    'Whom this transaction acts for, as given, or null. Raises 28000 for a seal that is missing where required, wrong or expired.';
revoke all on function app.current_user_key() from public;

-- Neither a definer nor with settings of its own, so that a plan holds the cast and not a second call.
create function app.current_user_id() returns uuid
    language sql stable parallel safe security invoker
    return app.current_user_key()::uuid;
comment on function app.current_user_id() is 'The same as a uuid, for tables whose owner is one. Raises 22P02 for what is none.';
revoke all on function app.current_user_id() from public;

create function app.seal_required() returns boolean
    language sql stable parallel safe security definer
    set search_path = pg_catalog, pg_temp
    return coalesce((select required from app_private.sealing), true);
comment on function app.seal_required() is 'Whether an identity counts only with a seal; true as well where that cannot be read.';
revoke all on function app.seal_required() from public;

-- Forced row-level security binds an owner that has no BYPASSRLS as well: its migrations would change no row, and say
-- nothing. Whoever is logged in as the owner is let in, and not a function or a view of the owner's that a service uses:
-- there the owner acts, and in a view's policies current_user is even who reads it, so neither may decide.
create function app_private.admit_owner(relation regclass, admitted boolean default true) returns void
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    owner constant name := (select pg_get_userbyid(relowner) from pg_class where oid = relation);
begin
    if exists (select from pg_policy where polrelid = relation and polname = 'all_owner') then
        execute format('drop policy all_owner on %s', relation);
    end if;
    if admitted and exists (select from pg_roles where rolname = owner and not rolsuper and not rolbypassrls) then
        execute format('create policy all_owner on %s to %I using ((select pg_has_role(session_user, %L::name, %L)))',
                       relation, owner, owner, 'member');
        execute format('comment on policy all_owner on %s is %L', relation,
                       'Whoever is logged in as the owner reaches all rows; a function or view of the owner''s none by this.');
    end if;
end
$$;
comment on function app_private.admit_owner(regclass, boolean) is
    'Lets a table''s owner reach its rows where policies bind it, in a session of its own, or takes that back.';
revoke all on function app_private.admit_owner(regclass, boolean) from public;

commit;
