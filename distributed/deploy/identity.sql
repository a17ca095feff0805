-- Deploy distributed:identity to pg
-- requires: shards
--
-- Who a transaction acts for reaches the workers, and is judged there.

begin;

do $$
begin
    -- Kept with the database, on workers too: a session's own value would not outlive the RESET ALL below.
    execute format('alter database %I set citus.propagate_set_commands = %L', current_database(), 'local');
end
$$;

-- SET LOCAL and RESET ALL are what Citus repeats on workers; set_config it does not see. Plans hold the shard of whom they
-- were made for, and a worker's session keeps what its earlier users set.
insert into app_private.undistributed values ('app.set_user_id', pg_get_functiondef('app.set_user_id(text, text)'::regprocedure));
create or replace function app.set_user_id(user_id text, seal text default '') returns text
    language plpgsql volatile parallel unsafe security invoker
as $$
begin
    execute 'discard plans';
    execute 'reset all';
    execute pg_catalog.format('set local app.user_id to %L', coalesce(user_id, ''));
    execute pg_catalog.format('set local app.user_seal to %L', coalesce(seal, ''));
    return coalesce(user_id, '');
end
$$;

-- Seals are judged on the node that is asked. The row of app_private.sealing stays here: what it decides is the helper's body,
-- which Citus gives to all nodes in the same transaction, and by which a node knows it.
insert into app_private.undistributed
select split_part(function::text, '(', 1), pg_get_functiondef(function)
  from unnest('{app_private.verified_user_key(), app_private.refuse_identity(), app_private.decide_sealing(),
                app.seal_required()}'::regprocedure[]) as function;
-- Texts, which hang on no table: first here, as Citus would refuse what still hangs on one, then on every node.
set local citus.enable_ddl_propagation = off;
create or replace function app.seal_required() returns boolean
    language sql stable parallel safe security definer
    set search_path = pg_catalog, pg_temp
as $$
    select coalesce((select lanname <> 'plpgsql' from pg_proc join pg_language on pg_language.oid = prolang
                      where pg_proc.oid = to_regprocedure('app.current_user_key()')), true)
$$;
do $do$
declare
    whole text := pg_get_functiondef('app_private.verified_user_key()'::regprocedure);
    body  text := pg_get_function_sqlbody('app_private.verified_user_key()'::regprocedure);
    judge regprocedure;
    asked text;
begin
    execute replace(whole, body, format('as %L', regexp_replace(body, '^ *RETURN', 'select')));
    for judge, asked in values
        ('app_private.refuse_identity()'::regprocedure, 'not exists (select from app_private.sealing)'),
        ('app_private.decide_sealing()', 'coalesce((select required from app_private.sealing), true)')
    loop
        whole := pg_get_functiondef(judge);
        if strpos(whole, asked) = 0 then
            raise exception '% is another than this change knows', judge;
        end if;
        execute replace(whole, asked, 'false');
    end loop;
    update app_private.sealing set required = required;  -- which gives app.current_user_key() its body anew
    perform set_config('citus.enable_ddl_propagation', 'on', true);
    perform app_private.distribute('app_private.seal_keys');
    perform app_private.read_own_copies(function, '{app_private.seal_keys}')
       from unnest('{app_private.verified_user_key(), app_private.refuse_identity()}'::regprocedure[]) as function;
    update app_private.sealing set required = required;
    execute pg_get_functiondef('app_private.decide_sealing()'::regprocedure);
    execute pg_get_functiondef('app.seal_required()'::regprocedure);
end
$do$;
-- On workers it is new.
revoke all on function app.seal_required() from public;
grant execute on function app.seal_required() to app_user, app_auth;

commit;
