-- The columns of a relation, by its oid: %(relation)s.
select attname::text as name,
       quote_ident(attname) as ident,
       atttypid::regtype::text as type,
       attnotnull as not_null,
       -- What an insert leaves to the database: generated, identity, and what a sequence numbers.
       attidentity <> '' or attgenerated <> '' or sequence is not null as numbered,
       case when attidentity = '' then sequence end as sequence,
       coalesce(attnum = any (conkey), false) as in_key,
       coalesce(attstattarget, -1)::int as statistics,
       coalesce(has_column_privilege(to_regrole('app_user'), attrelid, attnum, 'insert'), false) as writable,
       exists (select from pg_index where indrelid = attrelid and indkey[0] = attnum and indpred is null and indisvalid) as indexed
  from pg_attribute
  left join pg_constraint on conrelid = attrelid and contype = 'p'
  left join pg_attrdef on adrelid = attrelid and adnum = attnum
  left join lateral (
      select refobjid::regclass::text as sequence
        from pg_depend
        join pg_class on pg_class.oid = refobjid and relkind = 'S'
       where classid = 'pg_attrdef'::regclass and objid = pg_attrdef.oid and refclassid = 'pg_class'::regclass
       limit 1
  ) as numbers on true
 where attrelid = %(relation)s and attnum > 0 and not attisdropped
 order by attnum
