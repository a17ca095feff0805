-- One row about a relation, by its oid: %(relation)s.
select format('%%I.%%I', nspname, relname) as name,
       nspname::text as schema,
       quote_ident(nspname) as schema_ident,
       relname::text as relname,
       quote_ident(relname) as relname_ident,
       relkind::text as kind,
       pg_get_userbyid(relowner)::text as owner,
       pg_has_role(relowner, 'usage') as ours,
       relispartition or exists (select from pg_inherits where pg_class.oid in (inhrelid, inhparent)) as inherits,
       relrowsecurity as enabled,
       relforcerowsecurity as forced,
       -- Whether app_user has to be let into the schema.
       coalesce(not has_schema_privilege(to_regrole('app_user'), relnamespace, 'usage'), true) as shut,
       has_schema_privilege(relnamespace, 'usage with grant option') as may_open,
       has_schema_privilege(relnamespace, 'create') as may_make,
       -- What everybody or app_user may do already, as it would be granted again.
       array(select format('grant %%s%%s on %%s to %%s%%s', lower(privilege_type), ' (' || quote_ident(attname) || ')',
                           format('%%I.%%I', nspname, relname),
                           case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
                           case when is_grantable then ' with grant option' end)
               from (select null::name as attname, item.* from aclexplode(relacl) as item
                     union all
                     select attname, item.* from pg_attribute, aclexplode(attacl) as item where attrelid = pg_class.oid) as grants
              where grantee in (0, to_regrole('app_user')) and grantee <> relowner
              order by 1) as grants,
       -- Policies that would be joined by OR with ours.
       array(select polname::text from pg_policy
              where polrelid = pg_class.oid and polroles && array[0, to_regrole('app_user'), to_regrole('app_auth')]::oid[]
              order by 1) as policies,
       -- Roles that reach every row.
       array(select distinct pg_get_userbyid(role)::text from pg_policy, unnest(polroles) as role
              where polrelid = pg_class.oid and polcmd = 'r' and role <> 0 and pg_get_expr(polqual, polrelid) = 'true'
              order by 1) as every_row,
       -- What the policy of reading compares, where there is one for app_user.
       (select pg_get_expr(polqual, polrelid) from pg_policy
         where polrelid = pg_class.oid and polpermissive and polcmd in ('r', '*') and to_regrole('app_user') = any (polroles)
         order by polname limit 1) as judged
  from pg_class
  join pg_namespace on pg_namespace.oid = relnamespace
 where pg_class.oid = %(relation)s
