-- Which service owns, or can become the owner of, what protects users? An owner turns policies off. app_gate and
-- app_roster own what answers for fenced tables, not the tables.
select 'error' as level, object, 'a service can become the owner' as finding,
       format('"%s" can act as "%s".', me.rolname, pg_get_userbyid(owner)) as detail,
       format('alter %s owner to …, or revoke %I from %I', object, pg_get_userbyid(owner), me.rolname) as cure
  from (
      select format('table %I.%I', nspname, relname) as object, relowner as owner, relkind = 'v' as answers
        from pg_class join schemas on schemas.oid = relnamespace
       where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      union all
      select format('schema %I', pg_namespace.nspname), nspowner, false
        from pg_namespace join schemas using (oid)
      union all
      select format('function %s', pg_proc.oid::regprocedure), proowner, true
        from pg_proc join schemas on schemas.oid = pronamespace
      union all
      select format('database %I', datname), datdba, false from pg_database where datname = current_database()
  ) as objects,
       (select * from roles union select * from gate) as roles join pg_roles as me using (oid)
 where not me.rolsuper and not (answers and (me.oid in (select oid from gate) or me.rolname = 'app_roster' and object like 'function %')) and pg_has_role(me.oid, owner, 'member')
 order by 2, 4;
