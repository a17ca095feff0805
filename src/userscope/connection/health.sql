-- Tables whose policies do not bind everybody, one a row: what this login may touch of the audited schemas, what stands
-- behind a fence, and wherever a table's policies are switched off.
with audited (oid) as (
    select oid from pg_namespace
     where nspname = any (('{' || coalesce(nullif(current_setting('userscope.audit_schemas', true), ''), 'app') || '}')::text[])
)
select format('%s.%I', relnamespace::regnamespace, relname) as unprotected
  from pg_class,
       lateral (select exists (select from pg_policy where polrelid = pg_class.oid) as policies) as facts
 where relkind in ('r', 'p')
   and (policies and not relrowsecurity
        or not (relrowsecurity and relforcerowsecurity)
           and (relnamespace = to_regnamespace('app_fenced')
                or relnamespace in (table audited)
                   and (policies
                        or has_table_privilege(pg_class.oid, 'select, insert, update, delete, truncate')
                        or has_any_column_privilege(pg_class.oid, 'select, insert, update'))))
 order by 1
