-- Who may pass on what they were granted?
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
       'a privilege can be passed on' as finding,
       format('"%s" has %s with grant option.', rolname, privilege_type) as detail,
       format('revoke grant option for %s on %I.%I from %I', lower(privilege_type), nspname, relname, rolname) as cure
  from (
      select oid as relation, item.* from pg_class, aclexplode(relacl) as item
      union
      select attrelid, item.* from pg_attribute, aclexplode(attacl) as item
  ) as grants
  join pg_class on pg_class.oid = relation
  join audited on audited.oid = relnamespace
  join (select * from services union select * from providers) as roles on roles.oid = grantee
 where is_grantable
 order by 2, 4;
