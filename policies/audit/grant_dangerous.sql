-- Who may do what no policy judges? TRUNCATE empties a table; REFERENCES and TRIGGER look behind policies.
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
providers as (
    select oid, rolname::text from pg_roles
     where rolname = any (('{' || coalesce(nullif(current_setting('userscope.audit_provider_roles', true), ''), 'app_auth') || '}')::text[])
)
select 'error' as level, format('%I.%I', nspname, relname) as object,
       'a privilege that no policy judges' as finding,
       format('"%s" has %s.', rolname, privilege) as detail,
       format('revoke %s on %I.%I from %s', lower(privilege), nspname, relname,
              case roles.oid when 0 then 'public' else quote_ident(rolname) end) as cure
  from pg_class
  join audited on audited.oid = relnamespace,
       (select * from services union select * from providers) as roles,
       unnest(array['TRUNCATE', 'REFERENCES', 'TRIGGER']) as privilege
 where relkind in ('r', 'p', 'v', 'm', 'f')
   and (has_table_privilege(roles.oid, pg_class.oid, privilege)
        or privilege = 'REFERENCES' and has_any_column_privilege(roles.oid, pg_class.oid, privilege))
 order by 2, 4;
