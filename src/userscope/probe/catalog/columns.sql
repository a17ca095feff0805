-- Columns; a domain counts as the type below it, with what the domain asks for.
with recursive base as (
    select oid, oid as top, typtype from pg_type
    union all
    select t.oid, base.top, t.typtype
      from base join pg_type as d on d.oid = base.oid join pg_type as t on t.oid = d.typbasetype
     where base.typtype = 'd'
)
select a.attrelid::int8 as relation, a.attname as name, quote_ident(a.attname) as sql,
       t.typname as type, t.typtype::text as kind, t.typcategory::text as category, t.oid::int8 as type_oid,
       t.typelem::int8 as element,
       a.attnotnull or top.typnotnull as required, pg_get_expr(d.adbin, d.adrelid) as "default",
       a.attgenerated <> '' as generated, a.attidentity::text as identity, a.atttypmod as modifier,
       coalesce((select string_agg(pg_get_constraintdef(k.oid), ' ') from pg_constraint as k where k.contypid = a.atttypid), '')
           as domain_check
  from pg_attribute as a
  join pg_type as top on top.oid = a.atttypid
  join base on base.top = a.atttypid and base.typtype <> 'd'
  join pg_type as t on t.oid = base.oid
  left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
 where a.attnum > 0 and not a.attisdropped and a.attrelid = any (%(relations)s::oid[])
 order by a.attrelid, a.attnum
