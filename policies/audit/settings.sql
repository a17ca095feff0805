-- Does every name in the settings of this audit exist? A list that matches nothing would find nothing wrong. "none" is
-- an empty list.
select 'error' as level, setting as object, 'names nothing that exists' as finding,
       format('%s "%s" does not exist in this database.', kind, entry) as detail,
       format('set %s = ''…'', or ''none'' where there is none', setting) as cure
  from (
      select setting, kind, entry, case kind
             when 'schema' then exists (select from pg_namespace where nspname = entry)
             when 'role' then exists (select from pg_roles where rolname = entry)
             when 'function' then exists (
                 select from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
                  where format('%s.%s(%s)', nspname, proname, pg_get_function_identity_arguments(pg_proc.oid)) = entry)
             end as found
        from lists
       where kind <> 'function or expression'
      union all
      select 'userscope.audit_identity', 'function or expression', call,
             proc is not null or exists (select from clauses where strpos(expression, call) > 0)
        from identity
  ) as entries
 where not found and entry <> 'none'
   -- An application without organizations lacks what belongs to them.
   and not (not exists (select from pg_class join audited on audited.oid = relnamespace where relname = 'organizations')
            and entry in ('app_roster', 'app.colleagues()', 'app.my_invitations()', 'app.current_organization_id()'))
union all
select case when nullif(current_setting('userscope.audit_schemas', true), '') is null then 'warning' else 'error' end,
       'userscope.audit_schemas', 'nothing to audit', 'The schemas hold no table.', 'name the schemas that hold tables'
 where not exists (select from pg_class join audited on audited.oid = relnamespace where relkind in ('r', 'p'))
union all
select 'error', 'userscope.audit_service_roles', 'nobody to audit', 'No service role is named.', 'name the roles that services act as'
 where not exists (select from services where oid <> 0)
union all
select 'warning', format('schema %I', nspname), 'is not audited',
       format('"%s" may reach %s in it, and no other question looks there.',
              string_agg(distinct rolname, '", "'), string_agg(distinct quote_ident(relname), ', ')),
       format('alter database %I set userscope.audit_schemas = ''%s''', current_database(),
              (select string_agg(entry, ', ') from lists where setting = 'userscope.audit_schemas') || ', ' || nspname)
  from pg_class
  join pg_namespace on pg_namespace.oid = relnamespace
  join services on services.oid <> 0
   and (has_table_privilege(services.oid, pg_class.oid, 'select, insert, update, delete')
        or has_any_column_privilege(services.oid, pg_class.oid, 'select, insert, update'))
 where relkind in ('r', 'p') and nspname !~ '^pg_' and nspname <> 'information_schema'
   and relnamespace not in (select oid from schemas)
   and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e')
 group by nspname
 order by 2, 4;
