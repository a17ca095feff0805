-- Deploy schema:identity to pg
-- requires: app
--
-- Who a transaction acts for. Two settings carry it, both local to the transaction:
--   app.user_id    the user's id, as text: a uuid, or in an application with users of its own a number or a text
--   app.user_seal  <key id>.<expiry, unix seconds>.<hex HMAC-SHA256(key, '<user id>.<expiry>')>
-- Any SQL can change a setting, so a setting alone stops mistakes and not attackers. While app_private.sealing says
-- that a seal is required, an id counts only with a seal that was made with a key the SQL channel never carries.

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
comment on table app_private.sealing is 'One row: whether an identity counts only with a seal. Without the row no identity counts.';
comment on column app_private.sealing.required is 'True: an unsealed identity is refused. False: it is accepted, so that sealing can be introduced.';
comment on constraint sealing_one_row_check on app_private.sealing is 'There is one row.';
comment on constraint sealing_pkey on app_private.sealing is 'There is one row.';

-- Said aloud rather than read off the presence of keys: a lost key must close the door, not open it.
insert into app_private.sealing (required) values (false);

create function app.set_user_id(user_id text, seal text default '') returns void
    language sql volatile parallel unsafe security invoker
begin atomic
    select set_config('app.user_id', coalesce(user_id, ''), true),
           set_config('app.user_seal', coalesce(seal, ''), true);
end;
comment on function app.set_user_id(text, text) is
    'Acts for this user until the transaction ends. Pass both as bound parameters: a literal can be read in pg_stat_activity.';
revoke all on function app.set_user_id(text, text) from public;

-- No backslash in the body: a session can change what one means (standard_conforming_strings).
create function app.current_user_key() returns text
    language plpgsql stable parallel safe security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    user_id   text;
    seal      text;
    required  boolean;
    expiry    text;
    inner_pad bytea;
    outer_pad bytea;
begin
    -- Few expressions on this way: userscope discards plans between users, so each is planned anew.
    if nullif(current_setting('app.user_seal', true), '') is null then
        select sealing.required into required from app_private.sealing;
        if not required then
            return nullif(current_setting('app.user_id', true), '');
        elsif nullif(current_setting('app.user_id', true), '') is null then
            return null;
        elsif required then
            raise exception 'the identity is not sealed' using
                errcode = '28000',
                detail = 'This database accepts app.user_id only with a valid app.user_seal.',
                hint = 'Give the service a seal key in USERSCOPE_SEAL_KEY.';
        end if;
        raise exception 'whether identities must be sealed cannot be read' using
            errcode = '28000',
            detail = 'app_private.sealing has no row, or row-level security hides it from its owner.',
            hint = 'The owner runs: insert into app_private.sealing (required) values (true);';
    end if;

    user_id := nullif(current_setting('app.user_id', true), '');
    seal := current_setting('app.user_seal', true);
    if user_id is null then
        return null;
    end if;
    -- A wrong seal is refused also while none is required, so that a service that seals wrongly is noticed in time.
    if seal !~ '^[A-Za-z0-9_-]{1,32}[.][0-9]{1,12}[.][0-9a-f]{64}$' then
        raise exception 'the identity''s seal is malformed' using errcode = '28000';
    end if;
    select keys.inner_pad, keys.outer_pad into inner_pad, outer_pad
      from app_private.seal_keys as keys
     where keys.id = split_part(seal, '.', 1) and keys.retired_at is null;
    if inner_pad is null or outer_pad is null then
        raise exception 'the identity''s seal names no active key' using
            errcode = '28000',
            hint = 'Compare the key id of USERSCOPE_SEAL_KEY with: userscope seal-key list.';
    end if;
    expiry := split_part(seal, '.', 2);
    -- An expiry has no dot, so the last one ends the id, whatever an id holds: no two pairs are the same text.
    -- The two MACs are compared as hashes: how long that takes tells nothing about the right one.
    if sha256(decode(split_part(seal, '.', 3), 'hex')) is distinct from
       sha256(sha256(outer_pad || sha256(inner_pad || convert_to(user_id || '.' || expiry, 'UTF8')))) then
        raise exception 'the identity''s seal does not fit' using errcode = '28000';
    end if;
    -- now() is the transaction's start: a transaction that has begun outlives its seal.
    if expiry::bigint < extract(epoch from now()) then
        raise exception 'the identity''s seal has expired' using
            errcode = '28000',
            detail = format('It was good until %s, and the transaction began at %s by the database''s clock.',
                            to_timestamp(expiry::bigint), now()),
            hint = 'Seals are made anew for every transaction: compare the clocks of the service and the database.';
    end if;
    return user_id;
end
$$;
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
