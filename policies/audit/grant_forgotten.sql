-- On which columns, added after those that are granted, is nothing granted to anybody? Every query that names one fails, an
-- ORM's first of all.
select 'warning' as level, object, 'nothing is granted on a later column' as finding,
       format('%s may not be read or written by whoever reads the columns before: %s.', string_agg(quote_ident(attname), ', ' order by attnum), readers) as detail,
       format('grant select (%s) on %s to …, and insert or update where it is written', string_agg(quote_ident(attname), ', ' order by attnum), object) as cure
  from (
      select pg_class.oid, format('%I.%I', nspname, relname) as object, string_agg(distinct quote_ident(rolname), ', ') as readers,
             max(attnum) as last
        from pg_class
        join audited on audited.oid = relnamespace
        join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
        join (select * from roles union select * from gate) as roles
             on has_column_privilege(roles.oid, attrelid, attnum, 'select, insert, update')
       where relkind in ('r', 'p', 'v', 'm', 'f')
       group by pg_class.oid, nspname, relname
  ) as granted
  join pg_attribute on attrelid = oid and attnum > last and not attisdropped
 where not exists (select from owners where relation = attrelid and owners.attnum = pg_attribute.attnum)
 group by object, readers
 order by 2;
