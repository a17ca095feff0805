-- Every schema that is not PostgreSQL's own, and which of the roles asked about may enter it or make things there.
select nspname::text as name, nspowner::int8 as owner,
       array(select role from unnest(%(roles)s::oid[]::int8[]) as role where has_schema_privilege(role::oid, oid, 'usage')) as entered,
       array(select role from unnest(%(roles)s::oid[]::int8[]) as role where has_schema_privilege(role::oid, oid, 'create')) as planted
  from pg_namespace
 where nspname !~ '^pg_' and nspname <> 'information_schema';
