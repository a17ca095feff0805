-- Who may do what: a row for each role, table, command and policy that lets rows through. Its columns are its own. Also
-- for roles that no setting names, if something is granted to them. "using" and "check" tell which rows: true is every
-- row.
with grantees (oid, rolname, place) as (
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
       and grantee not in (select oid from roles where oid <> 0)
),
granted as (
    select grantees.*, nspname, relname, format('%I.%I', nspname, relname) as object, relrowsecurity, command, number,
           case when relkind = 'v' then format('what %I sees', case when pg_class.oid in (select oid from invokers) then rolname
                                                             else pg_get_userbyid(relowner) end) end as behind,
           case when command <> 'DELETE' then
               array(select attname::text from pg_attribute
                      where attrelid = pg_class.oid and attnum > 0 and not attisdropped
                        and has_column_privilege(grantees.oid, attrelid, attnum, command) order by attnum)
           else array[]::text[] end as columns
      from grantees,
           pg_class join audited on audited.oid = relnamespace,
           (values ('SELECT', 1), ('INSERT', 2), ('UPDATE', 3), ('DELETE', 4)) as commands (command, number)
     where relkind in ('r', 'p', 'v', 'm', 'f') and not (relkind = 'v' and relowner = grantees.oid)
       and (has_table_privilege(grantees.oid, pg_class.oid, command)
            or command <> 'DELETE' and has_any_column_privilege(grantees.oid, pg_class.oid, command))
)
select rolname as role, object, command, columns, policyname::text as policy,
       case when command = 'INSERT' then null when behind is not null then behind when not relrowsecurity then 'true'
            when policyname is null then 'false' else qual end as "using",
       case when command not in ('INSERT', 'UPDATE') then null when behind is not null then behind when not relrowsecurity then 'true'
            when policyname is null then 'false' else coalesce(with_check, qual) end as "check"
  from granted
  left join pg_policies
         on schemaname = nspname and tablename = relname and relrowsecurity
        and permissive = 'PERMISSIVE' and cmd in ('ALL', command)
        and exists (select from unnest(pg_policies.roles) as role
                     where case when role in ('public', rolname) then true
                                when granted.oid <> 0 then pg_has_role(granted.oid, role, 'usage') end)
 order by place, rolname, object collate "C", number, policyname;
