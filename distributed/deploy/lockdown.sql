-- Deploy distributed:lockdown to pg
-- requires: identity
--
-- Of Citus' own functions PUBLIC keeps what Citus calls in a user's name on the way of a statement. The others read what
-- other sessions left on workers, change metadata, and run commands there. "userscope nodes" says the same to a node that is
-- added later, and after ALTER EXTENSION citus UPDATE.

begin;

create function app_private.to_lock_down() returns setof text
    language sql stable parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
    select format('revoke all on routine %s from public', pg_proc.oid::regprocedure)
      from pg_proc
      join pg_depend on classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e'
      join pg_extension on refclassid = 'pg_extension'::regclass and refobjid = pg_extension.oid
     where extname in ('citus', 'citus_columnar')
       and proname <> all (array[
           'assign_distributed_transaction_id',                   -- begins a transaction on a worker
           'relation_is_a_known_shard', 'citus_table_is_visible', -- are added to queries of pg_class
           'lock_shard_resources', 'lock_shard_metadata',         -- precede a write of a table that is whole on every node
           'worker_save_query_explain_analyze', 'worker_last_saved_explain_analyze'])
       and prorettype <> all ('{trigger, event_trigger, internal, cstring, table_am_handler}'::regtype[])
       -- What compares and reads values of its types is no way to anything.
       and not exists (select from pg_operator where oprcode = pg_proc.oid)
       and not exists (select from pg_type where pg_proc.oid in (typinput, typoutput, typreceive, typsend))
       and exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) as item where item.grantee = 0)
    union all
    select format('revoke all on %s from public', pg_class.oid::regclass)
      from pg_class
      join pg_depend on classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e'
      join pg_extension on refclassid = 'pg_extension'::regclass and refobjid = pg_extension.oid
     where extname in ('citus', 'citus_columnar') and relkind in ('r', 'v')
       and exists (select from aclexplode(relacl) as item where item.grantee = 0)
    union all
    select format('revoke all on function %s from public', pg_proc.oid::regprocedure)
      from pg_proc
     where pronamespace::regnamespace::text in ('app', 'app_fenced', 'app_private')
       and exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) as item where item.grantee = 0)
    union all
    select format('revoke temporary on database %I from public', current_database())
     where has_database_privilege('app_user', current_database(), 'temporary')
    union all
    -- Whoever changes their account has the coordinator write to workers as app_gate, which therefore may log in there: it
    -- has no password, and nobody can become it.
    select 'alter role app_gate login' from pg_roles
     where rolname = 'app_gate' and not rolcanlogin and (select groupid from pg_dist_local_group) <> 0
$$;
comment on function app_private.to_lock_down() is 'What is still to be said on this node, so that Citus opens nothing on it.';

create function app_private.lock_down_node() returns void
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    said text;
begin
    perform set_config('citus.enable_ddl_propagation', 'off', true);
    for said in select * from app_private.to_lock_down() loop
        execute said;
    end loop;
    perform set_config('citus.enable_ddl_propagation', 'on', true);
end
$$;
comment on function app_private.lock_down_node() is 'Says it. A superuser''s to call, on each node.';

revoke all on function app_private.to_lock_down(), app_private.lock_down_node() from public;

select app_private.lock_down_node();
do $$
declare
    failed text;
begin
    -- Workers know these functions when this is committed: so they are sent what the functions do.
    select string_agg(result, '; ') into failed
      from pg_proc as said, pg_proc as asked, run_command_on_workers(format('do %L', replace(
               said.prosrc, 'app_private.to_lock_down()', format('(%s) as asked', asked.prosrc))))
     where said.oid = 'app_private.lock_down_node()'::regprocedure and asked.oid = 'app_private.to_lock_down()'::regprocedure
       and not success;
    if failed is not null then
        raise exception 'a worker could not be locked down' using detail = failed;
    end if;
end
$$;

commit;
