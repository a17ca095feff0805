-- Policies; to whom by name, and for PUBLIC an empty list.
select p.polrelid::int8 as relation, p.polname as name, p.polpermissive as permissive,
       case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end
           as command,
       array(select r.rolname::text from pg_roles as r where r.oid = any (p.polroles) order by 1) as roles,
       coalesce(pg_get_expr(p.polqual, p.polrelid), '') as using,
       coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') as "check"
  from pg_policy as p
 where p.polrelid = any (%(relations)s::oid[])
 order by p.polrelid, p.polname collate "C"
