-- Whose key a column refers to, %(relation)s and %(column)s, and by how many columns.
select confrelid::oid as relation, cardinality(conkey) as width, quote_ident(attname) as key
  from pg_constraint
  join pg_attribute on attrelid = confrelid and attnum = confkey[1]
 where conrelid = %(relation)s and contype = 'f'
   and (select attnum from pg_attribute where attrelid = conrelid and attname = %(column)s and not attisdropped) = any (conkey)
 order by width, conname
 limit 1
