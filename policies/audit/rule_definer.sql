-- Which rules show or change rows with the rights of who owns the table or view that a service writes, a view with
-- security_invoker among them? Those of app_gate's are fences. What only writes down the values that a row was given is fine.
with bodies (oid, ev_class, letter, name, body) as (
    select pg_rewrite.oid, ev_class, case ev_type when '2' then 'update' when '3' then 'insert' else 'delete' end, rulename,
           regexp_replace(regexp_replace(pg_get_ruledef(pg_rewrite.oid), '''(?:[^'']|'''')*''', '', 'g'),
                          '^CREATE RULE .+? AS\s+ON \w+ TO ', '')
      from pg_rewrite
     where ev_type <> '1' and ev_enabled in ('O', 'A')
       and exists (select from pg_depend join pg_class on pg_class.oid = refobjid
                    where classid = 'pg_rewrite'::regclass and objid = pg_rewrite.oid and refclassid = 'pg_class'::regclass
                      and relnamespace in (select oid from schemas))
)
select 'error' as level, format('rule %I on %I.%I', name, nspname, relname) as object,
       'a rule acts with its owner''s rights' as finding,
       format('"%s" may set it off; it acts as "%s".', string_agg(rolname, '", "' order by rolname), pg_get_userbyid(relowner)) as detail,
       format('drop rule %I on %I.%I', name, nspname, relname) as cure
  from bodies
  join pg_class on pg_class.oid = ev_class
  join pg_namespace on pg_namespace.oid = relnamespace, roles
 where body ~ '\m(SELECT|UPDATE|DELETE)\M|INSTEAD\s+\(?\s*INSERT\M'
   and relowner not in (select oid from gate)
   and (has_table_privilege(roles.oid, ev_class, letter)
        or letter <> 'delete' and has_any_column_privilege(roles.oid, ev_class, case letter when 'delete' then 'select' else letter end))
 group by bodies.oid, name, nspname, relname, relowner
 order by 2;
