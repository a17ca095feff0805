-- What will be granted on objects that are not made yet, to the roles asked about and to PUBLIC.
select pg_get_userbyid(defaclrole)::text as maker, coalesce(nspname::text, '') as schema, defaclobjtype::text as kind,
       item.grantee::int8 as grantee, string_agg(distinct item.privilege_type, ', ') as privileges
  from pg_default_acl
  left join pg_namespace on pg_namespace.oid = defaclnamespace, aclexplode(defaclacl) as item
 where item.grantee in (select unnest(%(roles)s::oid[])) or item.grantee = 0
 group by defaclrole, nspname, defaclobjtype, item.grantee;
