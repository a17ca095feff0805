-- Which view or function shows what lies behind a fence without being app_gate's? In any schema, and through others.
with recursive past (oid, source) as (
    select relation, object from reading join fenced on fenced.oid = reading.source
    union
    select relation, past.source from reading join past on past.oid = reading.source
)
select 'error' as level, format('%I.%I', nspname, relname) as object,
       'a view goes past a fence' as finding,
       format('"%s" may read it, and it reads %s as "%s".', string_agg(distinct rolname, '", "'), string_agg(distinct source, ', '),
              pg_get_userbyid(relowner)) as detail,
       format('revoke all on %I.%I from %s', nspname, relname, string_agg(distinct quote_ident(rolname), ', ')) as cure
  from past
  join pg_class using (oid)
  join pg_namespace on pg_namespace.oid = relnamespace, readers
 where relowner not in (select oid from gate)
   and pg_class.oid not in (select oid from invokers)
   and (has_table_privilege(readers.oid, pg_class.oid, 'select, insert, update, delete')
        or has_any_column_privilege(readers.oid, pg_class.oid, 'select, insert, update'))
 group by pg_class.oid, nspname, relname, relowner
union all
select 'error', format('function %s', pg_proc.oid::regprocedure), 'a function goes past a fence',
       format('"%s" may run it, and it reads %s as "%s".', string_agg(distinct rolname, '", "'), string_agg(distinct behind.object, ', '),
              pg_get_userbyid(proowner)),
       format('alter function %s owner to app_gate, or name it in userscope.audit_definer_functions', pg_proc.oid::regprocedure)
  from pg_proc
  join pg_namespace on pg_namespace.oid = pronamespace
  join (select pg_class.oid, pg_class.oid::regclass::text as object, regexp_replace(relname, '(\W)', '\\\1', 'g') as pattern
          from pg_class join (select oid from fenced union select oid from past) as names using (oid)) as behind
    -- A body that is a string is searched for the name, behind a word that a table follows.
    on exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = pg_proc.oid
                  and refclassid = 'pg_class'::regclass and refobjid = behind.oid)
    or prosqlbody is null and prosrc ~* ('\m(?:from|join|into|update|using|table|only)\s+(?:\S+\.)?"?' || behind.pattern || '\M'), readers
 where prosecdef and proowner not in (select oid from gate)
   and nspname not in ('pg_catalog', 'information_schema') and prorettype <> 'trigger'::regtype
   and has_function_privilege(readers.oid, pg_proc.oid, 'execute')
   and format('%s.%s(%s)', nspname, proname, pg_get_function_identity_arguments(pg_proc.oid))
       not in (select entry from lists where setting = 'userscope.audit_definer_functions')
 group by pg_proc.oid, proowner
 order by 2;
