-- Which indexes can a service aim at other people's rows? One that does not begin with the column that the policy compares
-- is searched before the policy is asked: EXPLAIN tells how many rows it found, and a unique one refuses what is there.
select 'warning' as level, format('index %s', indexrelid::regclass) as object,
       'a service can aim an index at hidden rows' as finding,
       format('"%s" may %s what it begins with, %s; the policy compares %s.', rolname,
              case when readable then 'search by' else 'write' end, pg_get_indexdef(indexrelid, 1, false), owner) as detail,
       format('lead it by %s, or drop it', owner) as cure
  from (select relation, string_agg(quote_ident(attname), ', ' order by attname) as owner, array_agg(attnum) as owners
          from owners group by relation) as tables
  join pg_class on pg_class.oid = relation and relrowsecurity
  join pg_index on indrelid = relation and indisvalid and indkey[0] <> all (owners), readers,
       lateral (
           -- By the column that leads, or those in the expression that does; into a fence nothing is pushed.
           select readers.oid not in (select oid from gate)
                  and exists (select from (select indkey[0] as attnum where indkey[0] <> 0
                                           union all
                                           select refobjsubid::smallint from pg_depend
                                            where indkey[0] = 0 and classid = 'pg_class'::regclass and objid = indexrelid
                                              and refclassid = 'pg_class'::regclass and refobjid = relation and refobjsubid > 0) as leads
                               where has_column_privilege(readers.oid, relation, attnum, 'select')) as readable,
                  (indisunique or indisexclusion)
                  and not exists (select from unnest((indkey::smallint[])[0:indnkeyatts - 1]) as attnum
                                   where attnum <> 0 and not has_column_privilege(readers.oid, relation, attnum, 'insert, update')) as writable
       ) as facts
 where readable or writable
 order by 2, 4;
