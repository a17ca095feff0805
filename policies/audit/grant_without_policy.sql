-- Which commands are granted, and no policy lets a row through? A forgotten policy, or a forgotten revoke.
select 'warning' as level, format('%I.%I', nspname, relname) as object,
       'a granted command reaches no row' as finding,
       format('"%s" may %s, and no permissive policy applies.', rolname, command) as detail,
       format('create policy … on %1$I.%2$I for %3$s to %4$s …, or revoke %3$s on %1$I.%2$I from %4$s',
              nspname, relname, lower(command), quote_ident(rolname)) as cure
  from pg_class
  join audited on audited.oid = relnamespace,
       (select * from roles union select * from gate) as roles,
       (values ('SELECT', 'r'), ('INSERT', 'a'), ('UPDATE', 'w'), ('DELETE', 'd')) as commands (command, letter)
 where relkind in ('r', 'p') and relrowsecurity
   and (has_table_privilege(roles.oid, pg_class.oid, command)
        or letter <> 'd' and has_any_column_privilege(roles.oid, pg_class.oid, command))
   and not exists (select from pg_policy, unnest(polroles) as role
                    where polrelid = pg_class.oid and polpermissive and polcmd in ('*', letter::"char")
                      and (role in (0, roles.oid) or roles.oid <> 0 and pg_has_role(roles.oid, role, 'usage')))
 order by 2, 4;
