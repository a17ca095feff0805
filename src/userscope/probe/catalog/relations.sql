-- Tables, partitions, views and materialized views that are somebody's own, by name.
select c.oid::int8, n.nspname as schema, c.relname as name,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname) as sql,
       c.relkind::text as kind, c.relispartition as partition, c.relrowsecurity as secured,
       c.relowner::int8 as owner,
       case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) else '' end as definition,
       array(select distinct d.refobjid::int8
               from pg_rewrite as r join pg_depend as d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
              where r.ev_class = c.oid and d.refclassid = 'pg_class'::regclass and d.refobjid <> c.oid) as sources,
       array(select p.prosrc
               from pg_trigger as t join pg_proc as p on p.oid = t.tgfoid
              where t.tgrelid = c.oid and not t.tgisinternal) as triggers
  from pg_class as c
  join pg_namespace as n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p', 'v', 'm') and n.nspname <> all (%(outside)s) and n.nspname !~ '^pg_'
   and not exists (select from pg_depend as d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
 order by n.nspname collate "C", c.relname collate "C"
