-- What will be granted on objects that are not made yet?
select 'error' as level,
       coalesce((select format('schema %I', nspname) from pg_namespace where pg_namespace.oid = defaclnamespace),
                format('database %I', current_database())) as object,
       'objects to come are granted at birth' as finding,
       format('What "%s" makes opens to "%s": %s on every %s.', pg_get_userbyid(defaclrole), rolname,
              string_agg(distinct privilege_type, ', '),
              case defaclobjtype when 'r' then 'table' when 'S' then 'sequence' when 'f' then 'function' when 'n' then 'schema' else 'type' end) as detail,
       format('alter default privileges for role %I revoke all on … from %s', pg_get_userbyid(defaclrole),
              quote_ident(rolname)) as cure
  from pg_default_acl, aclexplode(defaclacl) as item, roles
 where item.grantee = roles.oid and defaclobjtype in ('r', 'S', 'f', 'n')
   -- That PUBLIC runs every function is PostgreSQL's own default, which public_leftovers judges by its effect.
   and not (defaclobjtype = 'f' and roles.oid = 0 and not exists (
               select from pg_default_acl as closed
                where closed.defaclrole = pg_default_acl.defaclrole and closed.defaclnamespace = 0 and closed.defaclobjtype = 'f'
                  and not exists (select from aclexplode(closed.defaclacl) as other where other.grantee = 0)))
   and (defaclnamespace = 0 or defaclnamespace in (select oid from audited union select oid from private))
 group by defaclnamespace, defaclrole, defaclobjtype, roles.oid, rolname
 order by 2, 4;
