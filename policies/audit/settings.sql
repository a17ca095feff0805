-- Does every name in the settings of this audit exist? A list that matches nothing would find nothing wrong. "none" is
-- an empty list.
with audited as (
    select oid, nspname from pg_namespace
     where nspname = any (('{' || coalesce(nullif(current_setting('userscope.audit_schemas', true), ''), 'app') || '}')::text[])
),
services as (  -- 0 is PUBLIC
    select oid, rolname::text from pg_roles
     where rolname = any (('{' || coalesce(nullif(current_setting('userscope.audit_service_roles', true), ''), 'app_user') || '}')::text[])
    union all
    select 0, 'public'
),
identity (call, proc) as (  -- as PostgreSQL writes it in a policy: with its schema, or without
    select coalesce(proc.oid::regprocedure::text, entry), proc.oid
      from unnest(('{' || coalesce(nullif(current_setting('userscope.audit_identity', true), ''), 'app.current_user_id()') || '}')::text[]) as entry
      left join (pg_proc as proc join pg_namespace on pg_namespace.oid = pronamespace)
             on pronargs = 0 and format('%s.%s()', nspname, proname) = entry
),
clauses (relation, object, policy, command, permissive, roles, clause, expression, name) as (
    select polrelid, format('%I.%I', nspname, relname), polname, polcmd, polpermissive, polroles, clause, expression,
           -- Sub-selects write the policy's own table by its name.
           case when expression like '%EXISTS%' then quote_ident(relname) || '.' else '' end
      from pg_policy
      join pg_class on pg_class.oid = polrelid
      join audited on audited.oid = relnamespace,
           lateral (values ('USING', polqual), ('WITH CHECK', polwithcheck)) as parts (clause, node),
           lateral pg_get_expr(node, polrelid) as expression
     where node is not null
       and exists (select from services, unnest(polroles) as role
                    where role in (0, services.oid) or services.oid <> 0 and pg_has_role(services.oid, role, 'usage'))
)
select 'error' as level, setting as object, 'names nothing that exists' as finding,
       format('%s "%s" does not exist in this database.', kind, entry) as detail,
       format('set %s = ''…'', or ''none'' where there is none', setting) as cure
  from (
      select 'userscope.audit_schemas' as setting, 'schema' as kind, entry,
             exists (select from pg_namespace where nspname = entry) as found
        from unnest(('{' || coalesce(nullif(current_setting('userscope.audit_schemas', true), ''), 'app') || '}')::text[]) as entry
      union all
      select 'userscope.audit_private_schemas', 'schema', entry, exists (select from pg_namespace where nspname = entry)
        from unnest(('{' || coalesce(nullif(current_setting('userscope.audit_private_schemas', true), ''), 'app_private') || '}')::text[]) as entry
      union all
      select 'userscope.audit_service_roles', 'role', entry, exists (select from pg_roles where rolname = entry)
        from unnest(('{' || coalesce(nullif(current_setting('userscope.audit_service_roles', true), ''), 'app_user') || '}')::text[]) as entry
      union all
      select 'userscope.audit_provider_roles', 'role', entry, exists (select from pg_roles where rolname = entry)
        from unnest(('{' || coalesce(nullif(current_setting('userscope.audit_provider_roles', true), ''), 'app_auth') || '}')::text[]) as entry
      union all
      select 'userscope.audit_identity', 'function or expression', call,
             proc is not null or exists (select from clauses where strpos(expression, call) > 0)
        from identity
      union all
      select 'userscope.audit_definer_functions', 'function', entry,
             exists (select from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
                      where format('%s.%s(%s)', nspname, proname, pg_get_function_identity_arguments(pg_proc.oid)) = entry)
        from unnest(('{' || coalesce(nullif(current_setting('userscope.audit_definer_functions', true), ''), 'app.current_user_id(),app.seal_required()') || '}')::text[]) as entry
  ) as entries
 where not found and entry <> 'none'
union all
select 'error', 'userscope.audit_schemas', 'nothing to audit', 'The schemas hold no table.', 'name the schemas that hold tables'
 where not exists (select from pg_class join audited on audited.oid = relnamespace where relkind in ('r', 'p'))
union all
select 'error', 'userscope.audit_service_roles', 'nobody to audit', 'No service role is named.', 'name the roles that services act as'
 where not exists (select from services where oid <> 0)
 order by 2, 4;
