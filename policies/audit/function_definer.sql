-- Which functions can a service run with their owners rights? The identitys own are named in a setting.
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
select 'error' as level, format('function %s', pg_proc.oid::regprocedure) as object,
       'a service can run a function with its owner''s rights' as finding,
       format('"%s" may execute it; it acts as "%s".', string_agg(rolname, '", "' order by rolname), pg_get_userbyid(proowner)) as detail,
       format('revoke execute on function %s from %s, or name it in userscope.audit_definer_functions',
              pg_proc.oid::regprocedure, string_agg(rolname, ', ' order by rolname)) as cure
  from pg_proc
  join (select * from audited union select * from private) as schemas on schemas.oid = pronamespace,
       (select * from services union select * from providers) as roles
 where prosecdef and prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
   and has_function_privilege(roles.oid, pg_proc.oid, 'execute')
   and format('%s.%s(%s)', nspname, proname, pg_get_function_identity_arguments(pg_proc.oid))
       <> all (('{' || coalesce(nullif(current_setting('userscope.audit_definer_functions', true), ''), 'app.current_user_id(),app.seal_required()') || '}')::text[])
 group by pg_proc.oid, proowner
 order by 2;
