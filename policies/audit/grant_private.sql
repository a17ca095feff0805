-- Who besides the owner has anything in the private schemas?
select 'error' as level, object, 'something private is granted' as finding,
       format('"%s" has %s.', case grantee when 0 then 'public' else pg_get_userbyid(grantee) end,
              string_agg(distinct privilege_type, ', ')) as detail,
       format('revoke all on %s from %s', object, case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end) as cure
  from (
      select format('schema %I', private.nspname) as object, nspowner as owner, item.*
        from private join pg_namespace using (oid), aclexplode(nspacl) as item
      union all
      select format('%s %I.%I', case relkind when 'S' then 'sequence' else 'table' end, nspname, relname), relowner, item.*
        from private join pg_class on relnamespace = private.oid, aclexplode(relacl) as item
      union all
      select format('table %I.%I', nspname, relname), relowner, item.*
        from private join pg_class on relnamespace = private.oid join pg_attribute on attrelid = pg_class.oid,
             aclexplode(attacl) as item
      union all
      select format('function %s', pg_proc.oid::regprocedure), proowner, item.*
        from private join pg_proc on pronamespace = private.oid, aclexplode(coalesce(proacl, acldefault('f', proowner))) as item
  ) as grants
 where grantee <> owner
 group by object, grantee
 order by 2, 4;
