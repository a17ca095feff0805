-- What a role may do with each relation: on the whole, and with which columns.
select c.oid::int8 as relation,
       has_table_privilege(%(role)s, c.oid, 'select') as whole,
       has_table_privilege(%(role)s, c.oid, 'delete') as delete,
       has_table_privilege(%(role)s, c.oid, 'truncate') as truncate,
       array(select a.attname::text from pg_attribute as a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                and has_column_privilege(%(role)s, c.oid, a.attnum, 'select') order by a.attnum) as select,
       array(select a.attname::text from pg_attribute as a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                and has_column_privilege(%(role)s, c.oid, a.attnum, 'insert') order by a.attnum) as insert,
       array(select a.attname::text from pg_attribute as a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                and has_column_privilege(%(role)s, c.oid, a.attnum, 'update') order by a.attnum) as update
  from pg_class as c
 where c.oid = any (%(relations)s::oid[]) and has_schema_privilege(%(role)s, c.relnamespace, 'usage')
