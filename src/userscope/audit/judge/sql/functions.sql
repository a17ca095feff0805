-- Every function of somebody's own: its body, and which of the roles asked about may run it.
select pg_proc.oid::int8 as oid, nspname::text as schema, proname::text as name, pg_proc.oid::regprocedure::text as signature,
       format('%%s.%%s(%%s)', nspname, proname, pg_get_function_identity_arguments(pg_proc.oid)) as entry,
       coalesce(proargnames, array[]::text[]) as names, coalesce(proargmodes::text[], array[]::text[]) as modes, pronargs::int as arguments,
       array(select pg_get_function_arg_default(pg_proc.oid, number) from generate_series(1, pronargs) as number) as defaults,
       lanname::text as language, prosecdef as definer, provolatile::text as volatility, proleakproof as leakproof,
       coalesce(proconfig, array[]::text[]) as settings, proowner::int8 as owner, format_type(prorettype, null) as returns,
       proretset as many, coalesce(pg_get_function_sqlbody(pg_proc.oid),
                         -- On Citus what is whole on every node is read there by the name of the node's own copy.
                         case when exists (select from pg_extension where extname = 'citus')
                              then regexp_replace(prosrc, '(app\w*[.](\w+?))_[0-9]{6,}(?: as \2\M)?', '\1', 'g') else prosrc end) as body, prosqlbody is not null as standard,
       array(select format_type(argument, null) from unnest(proargtypes) as argument) as types,
       array(select role from unnest(%(roles)s::oid[]::int8[]) as role where has_function_privilege(role::oid, pg_proc.oid, 'execute')) as runners
  from pg_proc
  join pg_namespace on pg_namespace.oid = pronamespace
  join pg_language on pg_language.oid = prolang
 where nspname !~ '^pg_' and nspname <> 'information_schema' and prokind in ('f', 'p')
   and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e');
