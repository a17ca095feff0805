-- Which functions can a service run with their owner's rights? The identity's own are named in a setting; those of app_gate
-- are fences: forced policies bind it.
select 'error' as level, format('function %s', pg_proc.oid::regprocedure) as object,
       'a service can run a function with its owner''s rights' as finding,
       format('"%s" may execute it; it acts as "%s".', string_agg(rolname, '", "' order by rolname), pg_get_userbyid(proowner)) as detail,
       format('revoke execute on function %s from %s, or name it in userscope.audit_definer_functions',
              pg_proc.oid::regprocedure, string_agg(rolname, ', ' order by rolname)) as cure
  from pg_proc
  join schemas on schemas.oid = pronamespace, roles
 where prosecdef and prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
   and proowner not in (select oid from gate)  -- it sees what policies show it
   and has_function_privilege(roles.oid, pg_proc.oid, 'execute')
   and format('%s.%s(%s)', nspname, proname, pg_get_function_identity_arguments(pg_proc.oid))
       not in (select entry from lists where setting = 'userscope.audit_definer_functions')
 group by pg_proc.oid, proowner
 order by 2;
