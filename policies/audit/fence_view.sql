-- Is every view that answers for a fenced table a fence? What it lacks lets a reader's conditions, or the planner's
-- estimates, reach other people's rows.
with views as (
    select pg_class.oid, format('%I.%I', nspname, relname) as object, relowner,
           coalesce((select option_value::boolean from pg_options_to_table(reloptions) where option_name = 'security_barrier'), false) as barrier,
           pg_class.oid in (select oid from invokers) as invoker
      from pg_class
      join audited on audited.oid = relnamespace
     where relkind = 'v'
       and (relowner in (select oid from gate)
            or exists (select from reading join pg_class as source on source.oid = reading.source
                        where reading.relation = pg_class.oid and source.relnamespace = to_regnamespace('app_fenced')))
)
select 'error' as level, object, finding, detail, cure
  from views,
       lateral (
           select 'a fence belongs to another than app_gate' as finding,
                  format('It reads as "%s", whom the fenced table''s policies do not bind.', pg_get_userbyid(relowner)) as detail,
                  format('alter view %s owner to app_gate', object) as cure
            where relowner not in (select oid from gate) and not invoker
           union all
           select 'a fence reads as its reader', 'So the reader needs rights on the fenced table, and then there is no fence.',
                  format('alter view %s reset (security_invoker)', object)
            where invoker
           union all
           select 'a fence has no barrier', 'EXPLAIN estimates its rows by the statistics of everybody''s.',
                  format('alter view %s set (security_barrier)', object)
            where not barrier
           union all
           select 'a fence has no offset 0', 'The reader''s conditions are tried on everybody''s rows, before the policy.',
                  format('create or replace view %s with (security_barrier) as select … offset 0', object)
            where pg_get_viewdef(views.oid) !~ '\sOFFSET 0;$'
           union all
           select 'a fence is written to by another than app_gate',
                  format('Trigger %I acts as "%s", whom the fenced table''s policies do not bind.', tgname, pg_get_userbyid(proowner)),
                  format('alter function %s owner to app_gate', tgfoid::regprocedure)
             from pg_trigger
             join pg_proc on pg_proc.oid = tgfoid
            where tgrelid = views.oid and prosecdef and proowner not in (select oid from gate)
       ) as findings
 order by 2, 3;
