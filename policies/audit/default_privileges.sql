-- What will be granted on objects that are not made yet?
with audited as (
    select oid, nspname from pg_namespace
     where nspname = any (('{' || coalesce(nullif(current_setting('userscope.audit_schemas', true), ''), 'app') || '}')::text[])
),
private as (
    select oid, nspname from pg_namespace
     where nspname = any (('{' || coalesce(nullif(current_setting('userscope.audit_private_schemas', true), ''), 'app_private') || '}')::text[])
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
select 'error' as level,
       coalesce((select format('schema %I', nspname) from pg_namespace where pg_namespace.oid = defaclnamespace),
                format('database %I', current_database())) as object,
       'objects to come are granted at birth' as finding,
       format('What "%s" makes opens to "%s": %s on every %s.', pg_get_userbyid(defaclrole), rolname,
              string_agg(distinct privilege_type, ', '),
              case defaclobjtype when 'r' then 'table' when 'S' then 'sequence' when 'f' then 'function' when 'n' then 'schema' else 'type' end) as detail,
       format('alter default privileges for role %I revoke all on … from %s', pg_get_userbyid(defaclrole),
              case roles.oid when 0 then 'public' else quote_ident(rolname) end) as cure
  from pg_default_acl, aclexplode(defaclacl) as item,
       (select * from services union select * from providers) as roles
 where item.grantee = roles.oid and defaclobjtype in ('r', 'S', 'f', 'n')
   and not (defaclobjtype = 'f' and roles.oid = 0)  -- PostgreSQL's own default, which public_leftovers judges by its effect
   and (defaclnamespace = 0 or defaclnamespace in (select oid from audited union select oid from private))
 group by defaclnamespace, defaclrole, defaclobjtype, roles.oid, rolname
 order by 2, 4;
