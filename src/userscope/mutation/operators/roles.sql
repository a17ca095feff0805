-- What could be wrong with roles. These belong to the whole server, so each is undone.
with logins as (
    select oid, quote_ident(rolname) as name from pg_roles
     where rolcanlogin and not rolsuper and exists (select from roles where pg_has_role(pg_roles.oid, roles.oid, 'member'))
),
members as (
    table roles union table logins
)
select 'bypasses row security' as operator, name as target, array[format('alter role %s bypassrls', name)] as ddl,
       'a service''s role does not bypass row-level security' as promise,
       format('look at rolbypassrls of %s, or read as it without an identity', name) as idea,
       array[format('alter role %s nobypassrls', name)] as undo
  from members
 union all
select 'becomes ' || roles.name, member.name, array[format('grant %s to %s', roles.name, member.name)],
       'a role that services act as is a member of no other',
       format('look whether %s may become %s, by pg_has_role', member.name, roles.name),
       array[format('revoke %s from %s', roles.name, member.name)]
  from roles join roles as member on not pg_has_role(member.oid, roles.oid, 'member')
