-- Keys, foreign keys and checks, and unique indexes that stand for no constraint.
with named as (
    select k.conrelid, k.contype::text as type, k.confrelid, k.conname,
           array(select a.attname::text from unnest(k.conkey) with ordinality as u (number, place)
                   join pg_attribute as a on a.attrelid = k.conrelid and a.attnum = u.number order by u.place) as columns,
           array(select a.attname::text from unnest(k.confkey) with ordinality as u (number, place)
                   join pg_attribute as a on a.attrelid = k.confrelid and a.attnum = u.number order by u.place) as parents,
           pg_get_constraintdef(k.oid) as definition
      from pg_constraint as k
     where k.contype in ('p', 'u', 'f', 'c') and k.conrelid = any (%(relations)s::oid[])
)
select conrelid::int8 as relation, type, confrelid::int8 as parent, conname as name, columns, parents, definition from named
union all
select i.indrelid::int8, 'u', 0, '',
       array(select a.attname::text from pg_attribute as a where a.attrelid = i.indrelid and a.attnum = any (i.indkey)),
       '{}', ''
  from pg_index as i
 where i.indisunique and i.indrelid = any (%(relations)s::oid[])
   and not exists (select from pg_constraint as k where k.conindid = i.indexrelid)
 order by 1, 2 desc, 4, 5
