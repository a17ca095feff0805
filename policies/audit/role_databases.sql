-- Which login reaches two databases that know it as a service? Roles belong to the whole server: it acts for anybody in
-- both, and CONNECT alone decides. Other databases are known by what they grant to the same roles.
select 'warning' as level, format('role %I', rolname) as object,
       'a login reaches another database' as finding,
       format('It may connect to %s too, and act for anybody there.', string_agg(distinct quote_ident(datname), ', ')) as detail,
       format('revoke connect on database %s from public; grant connect on database … to … those who serve it',
              string_agg(distinct quote_ident(datname), ', ')) as cure
  from logins
  join pg_roles using (oid)
  join members using (oid)
  join pg_shdepend on refclassid = 'pg_authid'::regclass and refobjid = members.role
  join pg_database on pg_database.oid = dbid
 where rolcanlogin and not rolsuper and datallowconn and not datistemplate and datname <> current_database()
   and has_database_privilege(logins.oid, pg_database.oid, 'connect')
 group by rolname
 order by 2;
