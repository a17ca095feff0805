-- What could be wrong with roles. These belong to the whole server, so each is undone.
select 'bypasses row security' as operator, name as target, array[format('alter role %s bypassrls', name)] as ddl,
       'a service''s role does not bypass row-level security' as promise,
       format('look at rolbypassrls of %s, or read as it without an identity', name) as idea,
       array[format('alter role %s nobypassrls', name)] as undo
  from (
      select name from roles
       union
      select quote_ident(rolname) from pg_roles
       where rolcanlogin and not rolsuper and exists (select from roles where pg_has_role(pg_roles.oid, roles.oid, 'member'))
  ) as role (name)
