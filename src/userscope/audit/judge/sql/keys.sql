-- What is unique, and what refers to what, by column names; null for an expression's place.
select indrelid::int8 as relation, case when indisprimary then 'p' else 'u' end as kind,
       array(select attname::text from unnest((indkey::int2[])[0:indnkeyatts - 1]) with ordinality as part (number, place)
               left join pg_attribute on attrelid = indrelid and attnum = number and number > 0 order by place) as columns,
       null::int8 as target, indexrelid::regclass::text as name, indpred is null as whole
  from pg_index
 where indisunique and indisvalid
   and exists (select from pg_class join pg_namespace on pg_namespace.oid = relnamespace
                where pg_class.oid = indrelid and nspname !~ '^pg_' and nspname <> 'information_schema')
union all
select conrelid::int8, 'f',
       array(select attname::text from unnest(conkey) with ordinality as part (number, place)
               join pg_attribute on attrelid = conrelid and attnum = number order by place),
       confrelid::int8, conname::text, true
  from pg_constraint
 where contype = 'f' and conparentid = 0;
