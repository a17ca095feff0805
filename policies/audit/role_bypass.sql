-- Which service or login of one is above row-level security, or can come to be?
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
       'a service can get above row-level security' as finding,
       string_agg(distinct format('It %s.', why), ' ') as detail,
       format('make another login by "userscope create-login", and drop role %I', pg_get_userbyid(members.oid)) as cure
  from members
  join pg_roles as me using (oid)
  join pg_roles as reach on case when me.rolsuper then reach.oid = me.oid else pg_has_role(me.oid, reach.oid, 'member') end,
       lateral (
           select 'is a superuser' || case when reach.oid <> me.oid then format(' through "%s"', reach.rolname) else '' end as why
            where reach.rolsuper
           union all
           select 'has BYPASSRLS' || case when reach.oid <> me.oid then format(' through "%s"', reach.rolname) else '' end
            where reach.rolbypassrls
           union all
           select 'has REPLICATION' where me.rolreplication
           union all
           -- Before 16, CREATEROLE grants itself any role that is no superuser.
           select 'has CREATEROLE' where reach.rolcreaterole and current_setting('server_version_num')::int < 160000
           union all
           select format('is a member of "%s"', reach.rolname)
            where reach.rolname in ('pg_read_all_data', 'pg_write_all_data', 'pg_maintain', 'pg_monitor', 'pg_read_all_stats',
                                    'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program',
                                    'pg_create_subscription')
       ) as reasons
 where members.oid not in (select oid from administrators)
 group by members.oid
 order by 2;
