-- Verify schema:identity on pg
--
-- By effect: what an identity is worth without a seal, with a right one, with wrong ones. The key made for that is
-- rolled back with everything else.

begin;

select app_private.verify_table('schema:identity', 'app_private.seal_keys', $$
    column id text not null
    column inner_pad bytea not null
    column outer_pad bytea not null
    column created_at timestamp with time zone not null default now()
    column retired_at timestamp with time zone
    constraint seal_keys_id_check CHECK ((id ~ '^[A-Za-z0-9_-]{1,32}$'::text))
    constraint seal_keys_inner_pad_check CHECK ((octet_length(inner_pad) = 64))
    constraint seal_keys_outer_pad_check CHECK ((octet_length(outer_pad) = 64))
    constraint seal_keys_pkey PRIMARY KEY (id)
$$);
select app_private.verify_table('schema:identity', 'app_private.sealing', $$
    column one_row boolean not null default true
    column required boolean not null
    constraint sealing_one_row_check CHECK (one_row)
    constraint sealing_pkey PRIMARY KEY (one_row)
$$);

set local search_path = pg_catalog, pg_temp;

do $$
declare
    missing text;
begin
    with wanted (fact) as (values
        ('app.set_user_id(text,text) runs as its caller, volatile'),
        ('app.current_user_key() runs as its owner, stable, search_path=pg_catalog, pg_temp'),
        ('app.current_user_id() runs as its caller, stable'),
        ('app.seal_required() runs as its owner, stable, search_path=pg_catalog, pg_temp'),
        ('app_private.refuse_identity() runs as its caller, stable, search_path=pg_catalog, pg_temp'),
        ('app_private.verified_user_key() runs as its owner, stable, search_path=pg_catalog, pg_temp'),
        ('app_private.decide_sealing() runs as its caller, volatile, search_path=pg_catalog, pg_temp'),
        ('app_private.admit_owner(regclass,boolean) runs as its caller, volatile, search_path=pg_catalog, pg_temp'),
        ('app_private.become(name,boolean) runs as its caller, volatile, search_path=pg_catalog, pg_temp'),
        ('app_private.seal_keys: row-level security enabled, not forced, nothing granted'),
        ('app_private.sealing: row-level security enabled, not forced, nothing granted')
    ),
    found (fact) as (
        select format('%s runs as its %s, %s', oid::regprocedure, case when prosecdef then 'owner' else 'caller' end,
                      concat_ws(', ', case provolatile when 's' then 'stable' when 'v' then 'volatile' end,
                                array_to_string(proconfig, '; ')))
          from pg_proc
         where proowner = (select nspowner from pg_namespace where pg_namespace.oid = pronamespace)
        union all
        select format('%s: row-level security enabled, not forced, nothing granted', oid::regclass)
          from pg_class
         where relrowsecurity and not relforcerowsecurity
           and relowner = (select nspowner from pg_namespace where pg_namespace.oid = relnamespace)
           and not exists (select from aclexplode(relacl) as item where item.grantee <> relowner)
           and not exists (select from pg_attribute where attrelid = pg_class.oid and attacl is not null)
    )
    select string_agg(fact, '; ') into missing from (select fact from wanted except select fact from found) as gaps;
    if missing is not null then
        raise exception 'schema:identity is not as it was deployed' using detail = 'Missing: ' || missing || '.';
    end if;

    if not exists (select from app_private.sealing) then
        raise exception 'app_private.sealing has no row, so no identity is accepted without a seal' using
            hint = 'The owner runs: insert into app_private.sealing (required) values (true);';
    end if;
    if not exists (select from pg_trigger where tgrelid = 'app_private.sealing'::regclass and tgname = 'decide' and tgenabled = 'A'
                    and tgtype = (4 | 8 | 16 | 32) and tgfoid = 'app_private.decide_sealing()'::regprocedure) then
        raise exception 'what app_private.sealing says is not put into effect' using
            hint = 'The owner runs: alter table app_private.sealing enable always trigger decide;';
    end if;
end
$$;

-- A key of 32 zero bytes; the seals below were made with it by another implementation of HMAC-SHA256 (RFC 2104).
insert into app_private.seal_keys (id, inner_pad, outer_pad)
values ('_verify', decode(repeat('36', 64), 'hex'), decode(repeat('5c', 64), 'hex'));

do $$
declare
    someone constant text := '00000000-0000-4000-8000-00000000000a';
    another constant text := '00000000-0000-4000-8000-00000000000b';
    good    constant text := '_verify.9999999999.7b174f1e249fd63b1ddb816e60d8289f2a5abf3e9d368b4a289ec6956f9f2b75';
    late    constant text := '_verify.1000000000.882d772a5e9c5c5f348e37fb153baaf593364db923d969eb7ab8808607fa543a';
    altered constant text := left(good, -1) || translate(right(good, 1), '0123456789abcdef', '123456789abcdef0');
    trial   record;
    outcome text;
begin
    for trial in
        select * from (values
            ('no identity',                '',      '',      'null'),
            ('an identity without a seal', someone, '',      case when app.seal_required() then 'refused' else someone end),
            ('a sealed identity',          someone, good,    someone),
            ('another user''s seal',       another, good,    'refused'),
            ('an altered seal',            someone, altered, 'refused'),
            ('an expired seal',            someone, late,    'refused'),
            ('a malformed seal',           someone, 'x',     'refused'),
            ('an unknown key''s seal',     someone, 'no' || good, 'refused'),
            ('a retired key''s seal',      someone, good,    'refused'),
            ('unsealed, sealing unknown',  someone, '',      'refused'),
            ('unsealed, past the trigger', someone, '',      'refused')
        ) as trials (what, user_id, seal, expected)
    loop
        if trial.what like 'a retired key%' then
            update app_private.seal_keys set retired_at = now() where id = '_verify';
        elsif trial.what like '%sealing unknown' then
            delete from app_private.sealing;
        elsif trial.what like '%past the trigger' then
            continue when to_regclass('app_private.undistributed') is not null;  -- on Citus workers have no row to read
            insert into app_private.sealing (required) values (false);
            alter table app_private.sealing disable trigger decide;
            update app_private.sealing set required = true;
        end if;
        begin
            perform app.set_user_id(trial.user_id, trial.seal);
            outcome := coalesce(app.current_user_key(), 'null');
            if outcome is distinct from coalesce(app.current_user_id()::text, 'null') then
                outcome := 'two identities';
            end if;
        exception
            when invalid_authorization_specification then outcome := 'refused';
        end;
        if outcome <> trial.expected then
            raise exception 'app.current_user_key() judges wrongly: %', trial.what using
                detail = format('Expected %s, got %s.', trial.expected, outcome);
        end if;
    end loop;
    delete from app_private.sealing;
    if not app.seal_required() then
        raise exception 'app.seal_required() denies that a seal is required where that is unknown';
    end if;
end
$$;

rollback;
