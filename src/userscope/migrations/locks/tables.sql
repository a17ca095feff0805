-- What is known of the tables that scripts name, in the order of the argument: [{"name", "schemas", "constraint"}]. Of an
-- index, its table; with a constraint ("" for all), the tables that its foreign keys refer to as well.
with wanted as (
    select w.number, w.value ->> 'name' as name, w.value ->> 'constraint' as dropped,
           coalesce(
               (select pg_catalog.array_agg(p.value) from pg_catalog.json_array_elements_text(w.value -> 'schemas') as p),
               pg_catalog.current_schemas(false)::text[]
           ) as path
    from pg_catalog.json_array_elements($1::json) with ordinality as w(value, number)
),
found as (
    select w.number, w.dropped, coalesce(i.indrelid, f.oid) as oid
    from wanted as w
    cross join lateral (
        select c.oid
        from pg_catalog.pg_class as c join pg_catalog.pg_namespace as s on s.oid = c.relnamespace
        where c.relname = w.name and s.nspname = any (w.path)
        order by pg_catalog.array_position(w.path, s.nspname::text)
        limit 1
    ) as f
    left join pg_catalog.pg_index as i on i.indexrelid = f.oid
),
locked as (
    select number, oid, false as referenced from found
    union
    select f.number, k.confrelid, true
    from found as f join pg_catalog.pg_constraint as k on k.conrelid = f.oid and k.contype = 'f'
    where f.dropped in ('', k.conname) and k.confrelid <> f.oid
)
select l.number::text, l.referenced::text, s.nspname || '.' || t.relname as "table",
       pg_catalog.sum(greatest(p.reltuples, 0))::bigint::text as rows,
       pg_catalog.sum(pg_catalog.pg_table_size(p.oid))::text as heap,
       pg_catalog.sum(pg_catalog.pg_total_relation_size(p.oid))::text as whole
from locked as l
join pg_catalog.pg_class as t on t.oid = l.oid and t.relkind in ('r', 'p', 'm', 'v', 'f')
join pg_catalog.pg_namespace as s on s.oid = t.relnamespace
join pg_catalog.pg_class as p on p.oid = t.oid or p.oid in (select relid from pg_catalog.pg_partition_tree(t.oid))
group by l.number, l.referenced, s.nspname, t.relname
order by l.number, l.referenced
