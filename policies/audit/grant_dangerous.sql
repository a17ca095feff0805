-- Who may do what no policy judges? TRUNCATE empties a table; REFERENCES and TRIGGER look behind policies.
select 'error' as level, format('%I.%I', nspname, relname) as object,
       'a privilege that no policy judges' as finding,
       format('"%s" has %s.', rolname, privilege) as detail,
       format('revoke %s on %I.%I from %s', lower(privilege), nspname, relname, quote_ident(rolname)) as cure
  from pg_class
  join audited on audited.oid = relnamespace,
       (select * from roles union select * from gate) as roles,
       unnest(array['TRUNCATE', 'REFERENCES', 'TRIGGER']) as privilege
 where relkind in ('r', 'p', 'v', 'm', 'f') and not (relowner = roles.oid and roles.oid in (select oid from gate))
   and (has_table_privilege(roles.oid, pg_class.oid, privilege)
        or privilege = 'REFERENCES' and has_any_column_privilege(roles.oid, pg_class.oid, privilege))
 order by 2, 4;
