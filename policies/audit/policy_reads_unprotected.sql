-- Which policies decide by a table that is not itself protected? Who can write there decides who sees what.
select case when writable then 'error' else 'warning' end as level,
       format('policy %I on %I.%I', polname, audited.nspname, pg_class.relname) as object,
       'decides by an unprotected table' as finding,
       format('%I.%I is not under row-level security', schema.nspname, other.relname) ||
       case when writable then ', and a service can write to it.' else '.' end as detail,
       format('alter table %I.%I enable row level security, force row level security', schema.nspname, other.relname) as cure
  from pg_policy
  join pg_class on pg_class.oid = polrelid
  join audited on audited.oid = pg_class.relnamespace
  join (select distinct objid, refobjid from pg_depend
         where classid = 'pg_policy'::regclass and refclassid = 'pg_class'::regclass) as uses on uses.objid = pg_policy.oid
  join pg_class as other on other.oid = refobjid and other.oid <> polrelid
  join pg_namespace as schema on schema.oid = other.relnamespace,
       lateral (select exists (select from services
                                where has_table_privilege(services.oid, other.oid, 'insert, update, delete')
                                   or has_any_column_privilege(services.oid, other.oid, 'insert, update')) as writable) as facts
 where other.relkind in ('r', 'p', 'f', 'm') and not other.relrowsecurity
 order by 2, 4;
