-- Which owners do the policies of their tables bind, as FORCE binds those without BYPASSRLS, and let in nowhere? Their
-- migrations change no row, without an error. And which let their owner in for services as well?
with forced (oid, object, owner, rolname) as (
    select pg_class.oid, format('%I.%I', nspname, relname), relowner, rolname
      from pg_class
      join audited on audited.oid = relnamespace
      join pg_roles on pg_roles.oid = relowner and not rolsuper and not rolbypassrls
     where relkind in ('r', 'p') and relrowsecurity and relforcerowsecurity
)
select 'warning' as level, object, 'its owner sees none of its rows' as finding,
       format('UPDATE and DELETE by "%s" change nothing, in a migration too, and say nothing; pg_dump fails.', rolname) as detail,
       format('select app_private.admit_owner(%L)', object) as cure
  from forced
 where not exists (select from pg_policy where polrelid = forced.oid and polpermissive and polcmd = '*' and owner = any (polroles))
union all
select 'warning', object, 'a policy lets its owner in for services as well',
       format('A function of "%s" that a service calls sees every row: policy %I asks nothing.', rolname, polname),
       format('drop policy %I on %s; select app_private.admit_owner(%L)', polname, object, object)
  from forced
  join pg_policy on polrelid = forced.oid and polpermissive and owner = any (polroles) and pg_get_expr(polqual, polrelid) = 'true'
 order by 2, 3;
