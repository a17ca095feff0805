-- Which partitions or children can a service name itself? Their parents' policies do not apply then.
select 'error' as level, format('%I.%I', nspname, relname) as object,
       'a partition or child is open by its own name' as finding,
       format('"%s" may use it, and the policies of %s do not apply there.', string_agg(distinct rolname, '", "'),
              string_agg(distinct inhparent::regclass::text, ', ')) as detail,
       format('revoke all on %I.%I from %s', nspname, relname, string_agg(distinct rolname, ', ')) as cure
  from pg_inherits
  join pg_class on pg_class.oid = inhrelid
  join pg_namespace on pg_namespace.oid = relnamespace, roles
 where (relnamespace in (select oid from audited)
        or inhparent in (select pg_class.oid from pg_class join audited on audited.oid = relnamespace))
   and relkind in ('r', 'p', 'f') and not (relrowsecurity and exists (select from pg_policy where polrelid = inhrelid))
   and (has_table_privilege(roles.oid, inhrelid, 'select, insert, update, delete')
        or has_any_column_privilege(roles.oid, inhrelid, 'select, insert, update'))
 group by inhrelid, nspname, relname
 order by 2;
