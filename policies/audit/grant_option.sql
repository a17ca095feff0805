-- Who may pass on what they were granted?
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
  join roles on roles.oid = grantee
 where is_grantable
 order by 2, 4;
