-- What is done also, or instead, where rows are written: rules, but those that make a view.
select ev_class::int8 as relation, rulename::text as name, case ev_type when '2' then 'w' when '3' then 'a' else 'd' end as letter,
       is_instead as instead, pg_get_ruledef(pg_rewrite.oid) as definition
  from pg_rewrite
  join pg_class on pg_class.oid = ev_class
  join pg_namespace on pg_namespace.oid = relnamespace
 where ev_type <> '1' and ev_enabled in ('O', 'A') and nspname !~ '^pg_' and nspname <> 'information_schema'
   and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = ev_class and deptype = 'e');
