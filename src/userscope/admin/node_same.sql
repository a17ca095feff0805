-- What every node must have as the coordinator has it: one JSON object of digests, so that no key travels. The keys of seals,
-- in the node's own copy of their table; who logs in, as what; functions, by whose bodies a seal is required or not, schemas, and
-- the tables that Citus knows, with who may do what.
with rights (kind, object, granted) as (
    select 'function', pg_proc.oid, row(pg_get_userbyid(grantee), privilege_type)::text
      from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
     where grantee <> proowner
    union all
    select 'schema', pg_namespace.oid, row(pg_get_userbyid(grantee), privilege_type)::text
      from pg_namespace, aclexplode(nspacl)
     where grantee <> nspowner
    union all
    select 'table', pg_class.oid, row(pg_get_userbyid(grantee), privilege_type)::text
      from pg_class, aclexplode(relacl)
     where grantee <> relowner
    union all
    select 'table', attrelid, row(attname, pg_get_userbyid(grantee), privilege_type)::text from pg_attribute, aclexplode(attacl)
    union all
    select 'table', polrelid, row(polname, polcmd, polpermissive, array(select pg_get_userbyid(role) from unnest(polroles) as role order by 1),
                                  pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))::text
      from pg_policy
),
granted (kind, object, digest) as (
    select kind, object, md5(string_agg(granted, chr(10) order by granted)) from rights group by kind, object
),
ours (oid) as (
    select oid from pg_namespace where nspname in ('app', 'app_fenced')
),
things (what, name, digest) as (
    select 'function', pg_proc.oid::regprocedure::text, md5(row(prosrc, prosecdef, proconfig, pg_get_userbyid(proowner), digest)::text)
      from pg_proc
      join pg_namespace on pg_namespace.oid = pronamespace and nspname in ('app', 'app_fenced', 'app_private')
      left join granted on kind = 'function' and object = pg_proc.oid
    union all
    select 'schema', nspname, md5(row(pg_get_userbyid(nspowner), digest)::text)
      from pg_namespace left join granted on kind = 'schema' and object = pg_namespace.oid
     where nspname in ('app', 'app_fenced', 'app_private')
    union all
    select 'table', pg_class.oid::regclass::text, md5(row(relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner), digest)::text)
      from pg_class join ours on ours.oid = relnamespace join pg_dist_partition on logicalrelid = pg_class.oid
      left join granted on kind = 'table' and object = pg_class.oid
    union all
    -- app_gate may log in to workers: what it writes to a table that is whole on every node is written there as app_gate.
    select 'role', rolname, md5(row(rolcanlogin and rolname <> 'app_gate', rolsuper, rolbypassrls, rolinherit, held)::text)
      from pg_roles, lateral (select array_agg(pg_get_userbyid(roleid)::text order by roleid::regrole::text) from pg_auth_members
                               where member = pg_roles.oid) as roles (held)
     where rolname in ('app_user', 'app_auth', 'app_gate', 'app_roster') or held && array['app_user', 'app_auth']
    union all
    select 'set of keys', 'app_private.seal_keys',
           md5(string_agg(row(id, inner_pad, outer_pad, extract(epoch from retired_at))::text, chr(10) order by id))
      from /* seal_keys */
)
select json_object_agg(what || ' ' || name, digest) from things
