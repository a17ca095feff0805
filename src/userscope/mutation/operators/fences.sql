-- What could be wrong with fences: views of a role that policies bind, and what writes for them.
with written as (
    -- The functions by which a fence is written to: they run as its owner.
    select functions.* from functions
     where for_trigger and definer and owner_oid in (select owner_oid from fences)
),
compared as (
    -- The columns of the row that was seen which such a function compares with the one that stands.
    select written.*, seen[1] as seen
      from written, regexp_matches(definition, '\mold\.("[^"]+"|\w+)', 'g') as found (seen)
),
owners as (
    select schemas.name as schema, quote_ident(pg_get_userbyid(nspowner)) as owner
      from pg_namespace join schemas using (oid)
)
select 'without its barrier' as operator, name as target, array[format('alter view %s reset (security_barrier)', name)] as ddl,
       'of what is fenced nobody learns by guessing' as promise,
       format('look at reloptions of %s', name) as idea
  from fences where 'security_barrier=true' = any (reloptions)
 union all
select 'without offset 0', name,
       array[format('create or replace view %s with (%s) as %s', name, array_to_string(reloptions, ', '),
                    regexp_replace(definition, '\s*OFFSET 0;\s*$', ''))],
       'of what is fenced nobody learns by guessing',
       format('EXPLAIN a condition on %s: it must stand above the subquery, not reach an index', name)
  from fences where definition ~ 'OFFSET 0;\s*$'
 union all
select 'asks as its caller', name, array[format('alter view %s set (security_invoker)', name)],
       'whoever a row is for reaches it', format('read %s as the one it is for, and see that it works', name)
  from fences
 union all
select 'owned as its schema', name, array[format('alter view %s owner to %s', name, owner)],
       'a user reaches only their own rows', format('as one user, read %s while another has rows in it', name)
  from fences join owners using (schema)
 union all
select 'owned by ' || roles.name, fences.name, array[format('alter view %s owner to %s', fences.name, roles.name)],
       'a service''s role owns nothing that protects', 'look into the catalog, and compare with what is meant'
  from fences join roles on roles.oid <> owner_oid
 union all
select 'trigger dropped', format('%I on %s', tgname, name), array[format('drop trigger %I on %s', tgname, name)],
       'whoever a row is for reaches it', format('write to %s as the one it is for', name)
  from pg_trigger join fences on fences.oid = tgrelid where not tgisinternal
 union all
select 'owned as its schema', name, array[format('alter function %s owner to %s', name, owner)],
       'a user reaches only their own rows', 'look into the catalog, and compare with what is meant'
  from written join owners using (schema)
 union all
select 'does not compare ' || seen, name,
       array[regexp_replace(definition, '\mold\.' || seen || '\M', 't.' || seen, 'g')],
       'what is written was computed from the row that stands',
       format('change %s between what an update reads and what it writes: it must be refused', seen)
  from (select distinct name, definition, seen from compared) as each
 where definition !~ format('\mt\.%1$s = old\.%1$s\M', seen)
 union all
select 'loses a conflict', name, array[regexp_replace(definition, '\melsif exists \(.*?\) then', 'elsif false then')],
       'what is written was computed from the row that stands',
       'change the row between what an update reads and what it writes: it must be refused'
  from written where definition ~ '\melsif exists \('
