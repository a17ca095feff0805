-- Which service carries settings of its own? An injected ALTER ROLE leaves them for every later connection.
with recursive audited as (
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
),
administrators (oid) as (  -- who owns the database or a schema is bound by nothing, and says so
    select datdba from pg_database where datname = current_database()
    union
    select nspowner from pg_namespace join audited using (oid)
),
members (role, oid) as (  -- who can act as a service or provider: since 16, ADMIN alone does not
    select oid, oid from services where oid <> 0
    union
    select oid, oid from providers
    union
    select role, member
      from members
      join pg_auth_members as grants on grants.roleid = members.oid
     where coalesce((to_jsonb(grants) ->> 'set_option')::boolean, true)
        or coalesce((to_jsonb(grants) ->> 'inherit_option')::boolean, true)
)
select 'warning' as level, format('role %I', pg_get_userbyid(setrole)) as object,
       'a service carries settings of its own' as finding,
       format('%s. An injected ALTER ROLE could have left them.', string_agg(distinct setting, ', ')) as detail,
       format('alter role %I reset all', pg_get_userbyid(setrole)) as cure
  from pg_db_role_setting, unnest(setconfig) as setting
 where setrole in (select oid from members except select oid from administrators) and setting not like 'search_path=%'
 group by setrole
 order by 2;
