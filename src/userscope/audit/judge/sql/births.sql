-- What will be granted on objects that are not made yet, to the roles asked about and to PUBLIC; "closed": PUBLIC, which
-- PostgreSQL lets run every function, may not run the maker's.
select pg_get_userbyid(defaclrole)::text as maker, coalesce(nspname::text, '') as schema, defaclobjtype::text as kind,
       item.grantee::int8 as grantee, string_agg(distinct item.privilege_type, ', ') as privileges,
       exists (select from pg_default_acl as whole
                where whole.defaclrole = pg_default_acl.defaclrole and whole.defaclnamespace = 0 and whole.defaclobjtype = 'f'
                  and not exists (select from aclexplode(whole.defaclacl) as other where other.grantee = 0)) as closed
  from pg_default_acl
  left join pg_namespace on pg_namespace.oid = defaclnamespace, aclexplode(defaclacl) as item
 where item.grantee in (select unnest(%(roles)s::oid[])) or item.grantee = 0
 group by defaclrole, nspname, defaclobjtype, item.grantee;
