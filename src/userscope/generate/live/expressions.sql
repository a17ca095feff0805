-- The expressions in the indexes of a relation, %(relation)s: ANALYZE keeps statistics of each.
select indexrelid::regclass::text as index, attnum::int as number, coalesce(attstattarget, -1)::int as statistics
  from pg_index
  join pg_attribute on attrelid = indexrelid and attnum <= indnkeyatts and indkey[attnum - 1] = 0
 where indrelid = %(relation)s
 order by 1, 2
