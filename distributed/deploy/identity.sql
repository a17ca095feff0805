-- Deploy distributed:identity to pg
-- requires: shards
--
-- Who a transaction acts for reaches the workers, and is judged there.

begin;

do $$
begin
    -- Kept with the database, on workers too: a session's own value would not outlive the RESET ALL below.
    execute format('alter database %I set citus.propagate_set_commands = %L', current_database(), 'local');
    -- What a statement keeps in between, any session of its login can have sent by a COPY that asks for no right: so none is kept.
    execute format('alter database %I set citus.max_intermediate_result_size = 0', current_database());
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

-- Citus writes what COPY sends to a table's rows of this node by itself, past their policies: so the row is judged once more.
create function app.judge() returns trigger
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    allowed constant text := (
        select string_agg(format('(%s)', coalesce(pg_get_expr(polwithcheck, polrelid), pg_get_expr(polqual, polrelid))), ' or ')
          from pg_policy
         where polrelid = tg_relid and polcmd in ('a', '*')
           and exists (select from unnest(polroles) as role where role = 0 or pg_has_role(role, 'usage')));
    passes  boolean;
begin
    if row_security_active(tg_relid) then
        execute format('select %s from (select ($1).*) as judged', coalesce(allowed, 'false')) into passes using new;
        if passes is not true then
            raise exception 'new row violates row-level security policy for table "%"', tg_table_name using errcode = '42501';
        end if;
    end if;
    return null;
end
$$;
comment on function app.judge() is 'Trigger: a row that was added is one that a policy lets be added, by COPY as well.';
revoke all on function app.judge() from public;

create function app_private.judge_rows(relation regclass) returns void
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (select from pg_policy where polrelid = relation and polcmd in ('a', '*')
                  and coalesce(pg_get_expr(polwithcheck, polrelid), pg_get_expr(polqual, polrelid)) <> 'true')
       and not exists (select from pg_trigger where tgrelid = relation and tgfoid = 'app.judge()'::regprocedure) then
        perform set_config('citus.enable_unsafe_triggers', 'on', true);
        execute format('create trigger judge after insert on %s for each row execute function app.judge()', relation);
    end if;
end
$$;
comment on function app_private.judge_rows(regclass) is 'Has the rows that are added to a table judged after Citus as well.';
revoke all on function app_private.judge_rows(regclass) from public;

-- Where Citus makes a table anew, it drops the views on it. A function whose body is a text hangs on no table; and where
-- the table is whole on every node, the function can read the node's own copy.
create function app_private.answer_by_function(view regclass) returns regprocedure
    language plpgsql volatile parallel unsafe security invoker set search_path = pg_catalog, pg_temp
as $$
declare
    name    constant text := view;
    owner   constant regrole := (select relowner from pg_class where oid = view);
    options constant text := ' with (' || (select array_to_string(reloptions, ', ') from pg_class where oid = view) || ')';
    body    constant text := rtrim(pg_get_viewdef(view), ';');
    columns text;
    types   text;
begin
    select string_agg(quote_ident(attname), ', ' order by attnum),
           string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' order by attnum)
      into columns, types from pg_attribute where attrelid = view and attnum > 0;
    insert into app_private.undistributed values (name, format('create or replace view %s%s as %s', name, options, body));
    execute format('create function %s() returns table (%s) language sql stable parallel safe security definer '
                   'set search_path = pg_catalog, pg_temp as %L', name, types, body);
    execute format('comment on function %s() is %L', name, 'What the view of its name shows.');
    execute format('revoke all on function %s() from public', name);
    -- A view's functions are called with the rights of its reader, and on workers by their names.
    execute format('grant execute on function %s() to app_user', name);
    execute format('create or replace view %1$s%2$s as select %3$s from %1$s() offset 0', name, options, columns);
    execute format('alter function %s() owner to %s', name, owner);
    return format('%s()', name)::regprocedure;
end
$$;
comment on function app_private.answer_by_function(regclass) is 'Has a view answer by a function of its owner''s that has its name.';
revoke all on function app_private.answer_by_function(regclass) from public;

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
