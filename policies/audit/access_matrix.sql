-- Who may do what: a row for each role, table, command and policy that lets rows through. Its columns are its own. Also
-- for roles that no setting names, if something is granted to them. "using" and "check" tell which rows: true is every
-- row.
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
),
grantees (oid, rolname, place) as (
    select oid, rolname, 1 from services where oid <> 0
    union all
    select oid, rolname, 2 from providers where oid not in (select oid from services)
    union all
    select distinct grantee, coalesce(pg_get_userbyid(nullif(grantee, 0)), 'public'), 3
      from (select relowner, item.grantee from pg_class join audited on audited.oid = relnamespace, aclexplode(relacl) as item
            union
            select relowner, item.grantee from pg_attribute join pg_class on pg_class.oid = attrelid
              join audited on audited.oid = relnamespace, aclexplode(attacl) as item) as grants
     where grantee <> relowner
       and grantee not in (select oid from services where oid <> 0 union select oid from providers)
),
granted as (
    select grantees.*, pg_class.oid as relation, format('%I.%I', nspname, relname) as object, relname, relrowsecurity, command, letter, number,
           case when letter <> 'd' then
               array(select attname::text from pg_attribute
                      where attrelid = pg_class.oid and attnum > 0 and not attisdropped
                        and has_column_privilege(grantees.oid, attrelid, attnum, command) order by attnum)
           else array[]::text[] end as columns
      from grantees,
           pg_class join audited on audited.oid = relnamespace,
           (values ('SELECT', 'r', 1), ('INSERT', 'a', 2), ('UPDATE', 'w', 3), ('DELETE', 'd', 4)) as commands (command, letter, number)
     where relkind in ('r', 'p', 'v', 'm', 'f')
       and (has_table_privilege(grantees.oid, pg_class.oid, command)
            or letter <> 'd' and has_any_column_privilege(grantees.oid, pg_class.oid, command))
)
select rolname as role, object, command, columns, polname::text as policy,
       case when command = 'INSERT' then null when not relrowsecurity then 'true'
            when policies.oid is null then 'false' else pg_get_expr(polqual, relation) end as "using",
       case when command not in ('INSERT', 'UPDATE') then null when not relrowsecurity then 'true'
            when policies.oid is null then 'false'
            else coalesce(pg_get_expr(polwithcheck, relation), pg_get_expr(polqual, relation)) end as "check"
  from granted
  left join pg_policy as policies
         on polrelid = relation and relrowsecurity and polpermissive and polcmd in ('*', letter::"char")
        and exists (select from unnest(polroles) as role
                     where role in (0, granted.oid) or granted.oid <> 0 and pg_has_role(granted.oid, role, 'usage'))
 order by place, rolname, object collate "C", number, polname;
