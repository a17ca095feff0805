-- Which views show a service what their owner sees? Those of app_gate are fences: forced policies bind it.
select 'error' as level, format('%I.%I', nspname, relname) as object,
       'a view reads as its owner' as finding,
       format('"%s" may read it, and policies judge "%s" instead.', string_agg(rolname, '", "' order by rolname),
              pg_get_userbyid(relowner)) as detail,
       format('alter view %I.%I set (security_invoker = true)', nspname, relname) as cure
  from pg_class
  join audited on audited.oid = relnamespace, roles
 where relkind = 'v'
   and pg_class.oid not in (select oid from invokers)
   and relowner not in (select oid from gate)
   and (has_table_privilege(roles.oid, pg_class.oid, 'select, insert, update, delete')
        or has_any_column_privilege(roles.oid, pg_class.oid, 'select, insert, update'))
 group by pg_class.oid, nspname, relname, relowner
 order by 2;
