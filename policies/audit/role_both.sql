-- Which login is a service and the identity provider at once? It would see accounts and todos.
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
select 'error' as level, format('role %I', pg_get_userbyid(members.oid)) as object,
       'a login is service and identity provider at once' as finding,
       format('It is a member of %s.', string_agg(distinct quote_ident(pg_get_userbyid(role)), ', ')) as detail,
       format('revoke %I from %I', min(pg_get_userbyid(role)), pg_get_userbyid(members.oid)) as cure
  from members
 where members.oid not in (select oid from administrators)
   and not (select rolsuper from pg_roles where pg_roles.oid = members.oid)
 group by members.oid
having bool_or(role in (select oid from services)) and bool_or(role in (select oid from providers))
 order by 2;
