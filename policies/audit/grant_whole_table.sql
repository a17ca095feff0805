-- Where is a whole table granted, not its columns? That opens ctid and its kin, and every column to come.
select 'warning' as level, format('%I.%I', nspname, relname) as object,
       'a whole table is granted' as finding,
       format('"%s" may %s every column, system columns and those to come among them.', rolname, privilege) as detail,
       format('revoke %1$s on %2$I.%3$I from %4$s; grant %1$s (…) on %2$I.%3$I to %4$s', lower(privilege), nspname, relname,
              quote_ident(rolname)) as cure
  from pg_class
  join audited on audited.oid = relnamespace,
       services,
       unnest(array['SELECT', 'INSERT', 'UPDATE']) as privilege
 where relkind in ('r', 'p') and has_table_privilege(services.oid, pg_class.oid, privilege)
 order by 2, 4;
