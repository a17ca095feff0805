-- Which columns tell by EXPLAIN how often a value occurs in rows that a policy hides?
select 'warning' as level, format('%I.%I', nspname, relname) as object,
       'statistics tell about hidden rows' as finding,
       format('EXPLAIN reads those of %s.', string_agg(distinct quote_ident(attname), ', ')) as detail,
       format('alter table %I.%I %s', nspname, relname,
              string_agg(distinct format('alter column %I set statistics 0', attname), ', ')) as cure
  from pg_class
  join audited on audited.oid = relnamespace
  join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped, services
 where relkind in ('r', 'p') and relrowsecurity and attstattarget is distinct from 0
   and has_column_privilege(services.oid, pg_class.oid, attnum, 'select')
 group by pg_class.oid, nspname, relname
 order by 2;
