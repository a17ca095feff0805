-- Deploy distributed:shards to pg
-- requires: policies:access
--
-- Citus: what distributes tables, and brings them back. On the coordinator, as a superuser: Citus' functions are its
-- extension's owner's to close, and what app_gate owns is altered on workers, where nobody can become that role.

begin;

do $$
declare
    said text;
begin
    if not exists (select from pg_extension where extname = 'citus') then
        raise exception 'this database has no Citus' using
            detail = 'The project "distributed" is for the coordinator of a Citus cluster.',
            hint = 'Run: create extension citus; or take "distributed = true" out of [tool.userscope].';
    elsif (select groupid from pg_dist_local_group) <> 0 or not exists (select from pg_dist_node where groupid = 0) then
        raise exception 'this node is not the coordinator that its cluster knows' using
            detail = 'Tables that are whole on every node have to be on the coordinator as well.',
            hint = 'On the coordinator run: select citus_set_coordinator_host(''<its name>'');';
    elsif not exists (select from pg_namespace join pg_roles on pg_roles.oid = nspowner
                       where nspname = 'app' and rolname = current_user and rolsuper) then
        raise exception 'role "%" is not a superuser who owns schema app', current_user using
            errcode = '42501', detail = 'Functions of Citus are closed, and what app_gate owns is altered on workers.',
            hint = 'Let a superuser run "userscope migrate", after: reassign owned by <the owner> to <the superuser>;';
    end if;
    -- What was deployed before Citus was there, workers do not know: it is said once more, and a schema goes with its functions,
    -- of which app_fenced may have none. What reads tables stays here, as it would have, until it is given another body.
    set local client_min_messages = error;
    for said in
        select coalesce(pg_get_functiondef(pg_proc.oid),
                        format('create schema if not exists %1$I; grant usage on schema %1$I to app_gate', nspname))
          from pg_namespace left join pg_proc on pronamespace = pg_namespace.oid
         where nspname in ('app', 'app_fenced', 'app_private')
           and not exists (select from pg_dist_object where classid = 'pg_proc'::regclass and objid = pg_proc.oid)
    loop
        execute said;
    end loop;
end
$$;

-- What was altered so that tables could be distributed, as it was before.
create table app_private.undistributed (
    object    text not null constraint undistributed_pkey primary key,
    statement text not null
);
alter table app_private.undistributed enable row level security;
comment on table app_private.undistributed is 'Policies, functions and views as they were on one node, for the way back.';
comment on constraint undistributed_pkey on app_private.undistributed is 'An object is kept once.';

-- Immutable in name alone: so the coordinator sees a constant, and sends a statement to the one shard that has the rows. It
-- stands in policies beside what decides, joined by "and": whatever it returns takes rows away, and adds none. Its setting
-- of search_path keeps it from being inlined.
create function app.shard_key(setting text default 'app.user_id') returns text
    language sql immutable parallel safe security invoker
    set search_path = pg_catalog, pg_temp
    return nullif(current_setting(setting, true), '');
comment on function app.shard_key(text) is 'Where the rows of a user or an organization lie: a hint to Citus, which protects nothing.';
revoke all on function app.shard_key(text) from public;
grant execute on function app.shard_key(text) to app_user;

-- Citus makes tables anew, and drops what was said about them: the sentences of errors among it.
create function app_private.comments() returns setof text
    language sql stable parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
begin atomic
    select format('comment on %s is %L', case
               when type in ('table', 'view', 'index') then format('%s %I.%I', type, names[1], names[2])
               when type = 'table column' then format('column %I.%I.%I', names[1], names[2], names[3])
               else format('%s %I on %I.%I', split_part(type, ' ', -1), names[3], names[1], names[2])
           end, description)
      from pg_description, pg_identify_object_as_address(classoid, objoid, objsubid) as object (type, names, arguments)
     where type in ('table', 'view', 'index', 'table column', 'table constraint', 'policy', 'trigger')
       and names[1] in ('app', 'app_fenced', 'app_private')
       and not exists (select from pg_dist_shard where right(names[2], 1 + length(shardid::text)) = '_' || shardid);
end;
comment on function app_private.comments() is 'The comments on relations of our schemas, as statements.';

create function app_private.related(relation regclass) returns setof regclass
    language sql stable parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
begin atomic
    with recursive found (one) as (
        select relation::oid
        union
        select case conrelid when one then confrelid else conrelid end
          from found join pg_constraint on contype = 'f' and one in (conrelid, confrelid)
    )
    select one::regclass from found;
end;
comment on function app_private.related(regclass) is 'The tables that foreign keys join with a table: Citus converts them together.';

-- Citus refuses a sub-select in a policy. Without one the owner is still judged once a statement: where the rows lie stands
-- beside it, and makes the owner a constant on the one shard that is asked.
create function app_private.policy_on_shards(clause text, key text, type text) returns text
    language sql immutable parallel safe security invoker
    set search_path = pg_catalog, pg_temp
begin atomic
    select case when key is not null and plain ~ 'app[.]current_(user_id|user_key|organization_id)[(]'
                then format('(%s) and %I = app.shard_key(%s)::%s', plain, key,
                            case when plain ~ 'app[.]current_organization_id[(]' then '''app.organization_id''' end, type)
                else plain end
      from regexp_replace(
               regexp_replace(clause, '[(] SELECT (?=(app[.]current_|pg_has_role[(]))', '', 'g'),
               ' AS (current_(user_id|user_key|organization_id)|pg_has_role)[)]', '', 'g') as plain;
end;
comment on function app_private.policy_on_shards(text, text, text) is 'What a policy''s clause is to be on Citus.';

create function app_private.alter_policies(relation regclass, key name default null) returns void
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    type constant text := (select format_type(atttypid, atttypmod) from pg_attribute where attrelid = relation and attname = key);
    policy record;
    as_is  text;
    to_be  text;
begin
    for policy in
        select polpermissive, format('policy %I on %s', polname, relation) as name, pg_get_expr(polqual, polrelid) as shown,
               pg_get_expr(polwithcheck, polrelid) as written
          from pg_policy where polrelid = relation
    loop
        if not policy.polpermissive then
            raise exception '% is restrictive', policy.name using
                errcode = '0A000', detail = 'Citus would make it permissive, silently: it would open what it closes.',
                hint = 'Write what it demands into the permissive policies, joined by "and".';
        end if;
        as_is := concat('alter ', policy.name, ' using (' || policy.shown || ')', ' with check (' || policy.written || ')');
        to_be := concat('alter ', policy.name,
            ' using (' || app_private.policy_on_shards(policy.shown, key, type) || ')',
            ' with check (' || app_private.policy_on_shards(policy.written, key, type) || ')');
        if to_be <> as_is then
            insert into app_private.undistributed values (policy.name, as_is) on conflict do nothing;
            execute to_be;
        end if;
    end loop;
end
$$;
comment on function app_private.alter_policies(regclass, name) is 'Writes policies as Citus takes them, or raises 0A000.';

create function app_private.distribute(relation regclass, key name default null) returns void
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    said constant text[] := array(select app_private.comments());
    name constant text := relation;
    word text;
begin
    if key is not null and (select relnamespace = 'app_fenced'::regnamespace from pg_class where oid = relation) then
        raise exception '% is fenced, and cannot be distributed', relation using
            errcode = '0A000', detail = 'What answers for it reads one node''s own copy.',
            hint = 'Leave it on the coordinator, or put it whole on every node: app_private.distribute without a column.';
    end if;
    -- Triggers of ours look at their own row alone, and tables that reference each other are made one after the other.
    perform set_config('citus.enable_unsafe_triggers', 'on', true),
            set_config('citus.multi_shard_modify_mode', 'sequential', true),
            set_config('client_min_messages', 'warning', true);
    perform app_private.alter_policies(one, case when one = relation then key end), app_private.judge_rows(one)
       from app_private.related(relation) as one;
    if key is null then
        perform create_reference_table(relation);
    else
        perform create_distributed_table(relation, key);
    end if;
    -- It may be another table by now. Citus leaves the rows that were copied where nothing shows them.
    perform truncate_local_data_after_distributing_table(name::regclass);
    for word in select unnest(said) except select app_private.comments() loop
        execute word;
    end loop;
end
$$;
comment on function app_private.distribute(regclass, name) is 'Spreads a table by a column, or puts it whole on every node.';

create function app_private.gather(relation regclass) returns void
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    said constant text[] := array(select app_private.comments());
    name constant text := relation;
    -- What a spread table references stays where it is: by the keys, Citus would bring all of that back as well.
    keys constant text[] := array(
        select format('%I %s', conname, pg_get_constraintdef(pg_constraint.oid))
          from pg_constraint join pg_dist_partition on logicalrelid = conrelid and partmethod = 'h'
         where conrelid = relation and contype = 'f' and confrelid <> conrelid);
    word text;
begin
    perform set_config('citus.multi_shard_modify_mode', 'sequential', true), set_config('client_min_messages', 'warning', true),
            set_config('citus.enable_unsafe_triggers', 'on', true);
    foreach word in array keys loop
        execute format('alter table %s drop constraint %s', name, split_part(word, ' FOREIGN KEY ', 1));
    end loop;
    perform undistribute_table(relation, cascade_via_foreign_keys => true);
    for word in
        with altered as (
            delete from app_private.undistributed using pg_policy
             where object = format('policy %I on %s', polname, polrelid::regclass)
               and not exists (select from pg_dist_partition where logicalrelid = polrelid)
            returning statement
        )
        select statement from altered
        union all
        select format('drop trigger %I on %s', tgname, tgrelid::regclass)
          from pg_trigger join pg_class on pg_class.oid = tgrelid
         where tgfoid = to_regprocedure('app.judge()') and not exists (select from pg_dist_partition where logicalrelid = tgrelid)
           and not exists (select from pg_dist_shard where right(relname, 1 + length(shardid::text)) = '_' || shardid)
        union all  -- from PostgreSQL 18 on NOT NULL has a name, and is given that of a table that has gone meanwhile
        select format('alter table %s rename constraint %I to %I', conrelid::regclass, conname,
                      regexp_replace(regexp_replace(conname, format('^%s_[0-9]+_', relname), relname || '_'), '[0-9]*$', ''))
          from pg_constraint join pg_class on pg_class.oid = conrelid
         where contype = 'n' and relnamespace::regnamespace::text in ('app', 'app_fenced', 'app_private')
           and conname ~ format('^%s_[0-9]+_.*_not_null[0-9]*$', relname)
           and not exists (select from pg_dist_partition where logicalrelid = conrelid)
           and not exists (select from pg_dist_shard where right(relname, 1 + length(shardid::text)) = '_' || shardid)
    loop
        execute word;
    end loop;
    if keys <> '{}' then  -- references to what Citus has make it Citus', on the coordinator
        perform app_private.alter_policies(name::regclass), app_private.judge_rows(name::regclass);
    end if;
    foreach word in array keys loop
        execute format('alter table %s add constraint %s', name, word);
    end loop;
    for word in select unnest(said) except select app_private.comments() loop
        execute word;
    end loop;
end
$$;
comment on function app_private.gather(regclass) is 'Brings a table back to the coordinator; with one that is whole everywhere, those that foreign keys join with it.';

create function app_private.restore(name text) returns void
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    kept  text;
    empty text := (select string_agg(format('null::%s as %I', format_type(atttypid, atttypmod), attname), ', ' order by attnum)
                     from pg_attribute join pg_class on pg_class.oid = attrelid
                    where attrelid = to_regclass(name) and relkind = 'v' and attnum > 0);
begin
    delete from app_private.undistributed where object = name returning statement into strict kept;
    if empty is not null then  -- on workers it shows nothing from now on
        execute format('create or replace view %s as select %s', name, empty);
        execute format('drop function %s()', name);
    end if;
    -- What hangs on a table of this node alone cannot go to workers.
    perform set_config('citus.enable_ddl_propagation', 'off', true);
    execute kept;
    perform set_config('citus.enable_ddl_propagation', 'on', true);
end
$$;
comment on function app_private.restore(text) is 'Makes a function or a view what it was on one node.';

-- A table that is whole on every node is read there by the name of the node's own copy. By its own name that would be a
-- distributed query, which a query on a shard may not hold, and which a view's reader would need the right to.
create function app_private.read_own_copies(function regprocedure, relations regclass[], own boolean default true) returns void
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    copied  record;
    pattern text;
    body    text := pg_get_functiondef(function);
begin
    for copied in
        select relation::text as name, relname, format('%s_%s', relation, shardid) as copy
          from unnest(relations) as relation
          join pg_class on pg_class.oid = relation
          join pg_dist_shard on logicalrelid = relation
    loop
        -- Columns keep the table's name, unless that has another one already.
        pattern := '(?<=(from|join|update|FROM|JOIN) [(]*)[[:<:]]' || replace(copied.name, '.', '[.]') || '[[:>:]]';
        body := case when own then
                    regexp_replace(regexp_replace(body, pattern || '(?! as )', format('%s as %s', copied.copy, copied.relname), 'g'),
                                   pattern, copied.copy, 'g')
                else replace(replace(body, format('%s as %s', copied.copy, copied.relname), copied.name), copied.copy, copied.name) end;
    end loop;
    execute body;
end
$$;
comment on function app_private.read_own_copies(regprocedure, regclass[], boolean) is
    'Has a function read this node''s own copies of tables, by their names, or again the tables.';

revoke all on function app_private.comments(), app_private.related(regclass), app_private.policy_on_shards(text, text, text),
    app_private.alter_policies(regclass, name), app_private.distribute(regclass, name), app_private.gather(regclass),
    app_private.restore(text), app_private.read_own_copies(regprocedure, regclass[], boolean) from public;

commit;
