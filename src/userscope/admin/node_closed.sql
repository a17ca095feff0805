-- Gives one node of Citus what is asked of it; run on each by who owns the extension and the database there. What is
-- put in is who may call which function on the coordinator: what migrations grant, Citus repeats on the workers of that day.
do $node$
declare
    called record;
begin
    perform app_private.lock_down_node();
    set local citus.enable_ddl_propagation = off;  -- each node is told by itself
    for called in
        select format('revoke all on routine %s from %s', pg_proc.oid::regprocedure,
                      case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end) as statement
          from pg_proc join pg_namespace on pg_namespace.oid = pronamespace,
               aclexplode(coalesce(proacl, acldefault('f', proowner)))
         where nspname in ('app', 'app_fenced') and grantee <> proowner
        union all
        select format('grant execute on routine %s to %I', to_regprocedure(function), grantee)
          from jsonb_to_recordset(/* granted */) as granted (function text, grantee text)
         where to_regprocedure(function) is not null
    loop
        execute called.statement;
    end loop;
    execute format('alter database %I set citus.propagate_set_commands = local', current_database());
    execute format('alter database %I set citus.max_intermediate_result_size = 0', current_database());
    if exists (select from pg_dist_node join pg_dist_local_group using (groupid) where shouldhaveshards) then
        -- What Citus sends there holds identities and values, and a login sees what its other sessions are doing.
        execute format('alter database %I set track_activities = off', current_database());
    end if;
end
$node$
