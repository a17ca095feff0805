-- Where do several permissive policies serve one command? They are joined by OR: the widest one counts.
select 'warning' as level, format('%I.%I', nspname, relname) as object,
       'several permissive policies serve one command' as finding,
       format('%s of "%s": %s.', command, rolname, string_agg(polname, ', ' order by polname)) as detail,
       'make one policy of them, or restrictive ones of what is meant as a limit' as cure
  from pg_policy
  join pg_class on pg_class.oid = polrelid
  join audited on audited.oid = relnamespace
  join (values ('SELECT', 'r'), ('INSERT', 'a'), ('UPDATE', 'w'), ('DELETE', 'd')) as commands (command, letter)
    on polcmd in ('*', letter::"char"), readers
 where polpermissive
   and exists (select from unnest(polroles) as role
                where role = readers.oid or readers.oid <> 0 and (role = 0 or pg_has_role(readers.oid, role, 'usage')))
 group by nspname, relname, command, rolname
having count(*) > 1
 order by 2, 4;
