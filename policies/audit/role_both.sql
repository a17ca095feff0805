-- Which login is a service and the identity provider at once? It would see accounts and todos.
select 'error' as level, format('role %I', pg_get_userbyid(members.oid)) as object,
       'a login is service and identity provider at once' as finding,
       format('It is a member of %s.', string_agg(distinct quote_ident(pg_get_userbyid(role)), ', ')) as detail,
       format('revoke %I from %I', min(pg_get_userbyid(role)), pg_get_userbyid(members.oid)) as cure
  from members
 where members.oid in (select oid from logins)
   and not (select rolsuper from pg_roles where pg_roles.oid = members.oid)
 group by members.oid
having bool_or(role in (select oid from services)) and bool_or(role in (select oid from providers))
 order by 2;
