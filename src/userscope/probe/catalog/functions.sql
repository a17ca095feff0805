-- Functions and procedures that are somebody's own.
select p.oid::int8, n.nspname as schema, p.proname as name, quote_ident(n.nspname) || '.' || quote_ident(p.proname) as sql,
       p.prosrc || coalesce(pg_get_function_sqlbody(p.oid), '') as source,
       p.prosecdef as definer, p.proleakproof as leakproof, p.prokind::text as kind, p.provolatile::text as volatility,
       p.prorettype in ('trigger'::regtype, 'event_trigger'::regtype) as of_trigger,
       p.provariadic <> 0 as variadic,
       array(select format_type(u.type, null) from unnest(p.proargtypes) with ordinality as u (type, place) order by u.place)
           as types,
       array(select u.type::int8 from unnest(p.proargtypes) with ordinality as u (type, place) order by u.place) as type_oids,
       coalesce(p.proargnames, '{}') as names
  from pg_proc as p
  join pg_namespace as n on n.oid = p.pronamespace
 where p.prokind in ('f', 'p') and n.nspname <> all (%(outside)s) and n.nspname !~ '^pg_'
   and not exists (select from pg_depend as d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
 order by n.nspname collate "C", p.proname collate "C", array_length(p.proargtypes, 1), p.oid
