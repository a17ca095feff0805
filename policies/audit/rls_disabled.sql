-- Which tables are not under row-level security at all? A partition or child that nobody may name counts as its parent.
select case when reachable then 'error' else 'warning' end as level,
       format('%I.%I', nspname, relname) as object,
       'row-level security is off' as finding,
       case when policies then 'The table has policies, and none of them applies. ' else '' end ||
       case when reachable then 'Whoever has a privilege on it reaches every row.'
            else 'No service can reach it yet; the first grant opens every row.' end as detail,
       format('alter table %I.%I enable row level security, force row level security', nspname, relname) as cure
  from pg_class
  join audited on audited.oid = relnamespace,
       lateral (select exists (select from pg_policy where polrelid = pg_class.oid) as policies,
                       exists (select from (select * from roles union select * from gate) as roles
                                where has_table_privilege(roles.oid, pg_class.oid, 'select, insert, update, delete')
                                   or has_any_column_privilege(roles.oid, pg_class.oid, 'select, insert, update')) as reachable) as facts
 where relkind in ('r', 'p') and not relrowsecurity
   and (reachable or policies or not exists (select from pg_inherits where inhrelid = pg_class.oid))
 order by 2;
