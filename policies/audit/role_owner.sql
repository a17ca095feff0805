-- Which service owns, or can become the owner of, what protects users? An owner turns policies off.
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
select 'error' as level, object, 'a service can become the owner' as finding,
       format('"%s" can act as "%s".', rolname, pg_get_userbyid(owner)) as detail,
       format('alter %s owner to …, or revoke %I from %I', object, pg_get_userbyid(owner), rolname) as cure
  from (
      select format('table %I.%I', nspname, relname) as object, relowner as owner
        from pg_class join (select * from audited union select * from private) as schemas on schemas.oid = relnamespace
       where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      union all
      select format('schema %I', pg_namespace.nspname), nspowner
        from pg_namespace join (select * from audited union select * from private) as schemas using (oid)
      union all
      select format('function %s', pg_proc.oid::regprocedure), proowner
        from pg_proc join (select * from audited union select * from private) as schemas on schemas.oid = pronamespace
      union all
      select format('database %I', datname), datdba from pg_database where datname = current_database()
  ) as objects,
       (select * from services where oid <> 0 union select * from providers) as roles
 where pg_has_role(roles.oid, owner, 'member') and not (select rolsuper from pg_roles where pg_roles.oid = roles.oid)
 order by 2, 4;
