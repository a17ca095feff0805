-- What can a service reach that cannot be under row-level security at all?
select case relkind when 'S' then 'warning' else 'error' end as level, format('%I.%I', nspname, relname) as object,
       case relkind when 'm' then 'a materialized view' when 'f' then 'a foreign table' else 'a sequence' end
       || ' is open to a service' as finding,
       format('"%s" may use it. %s', string_agg(rolname, '", "' order by rolname),
              case relkind when 'S' then 'It tells how many rows everybody makes.' else 'No policy can judge its rows.' end) as detail,
       format('revoke all on %I.%I from %s', nspname, relname, string_agg(rolname, ', ' order by rolname)) as cure
  from pg_class
  join audited on audited.oid = relnamespace, roles
 where case when relkind = 'S' then has_sequence_privilege(roles.oid, pg_class.oid, 'select, update, usage')
            when relkind in ('m', 'f') then has_table_privilege(roles.oid, pg_class.oid, 'select, insert, update, delete')
                                         or has_any_column_privilege(roles.oid, pg_class.oid, 'select, insert, update') end
 group by pg_class.oid, nspname, relname, relkind
 order by 2;
