-- Which service owns, or can become the owner of, what protects users? An owner turns policies off.
-- app_gate is meant to own views and functions: those that answer for fenced tables.
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
       roles join pg_roles as me using (oid)
 where not me.rolsuper and pg_has_role(me.oid, owner, 'member') and not (answers and me.oid = owner and me.rolname = 'app_gate')
 order by 2, 4;
