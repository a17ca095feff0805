-- Is the function that says who acts the one that was deployed?
select 'error' as level, format('function %s', proc.oid::regprocedure) as object,
       'the identity function is not the one that was deployed' as finding,
       string_agg(why, ' ') as detail,
       'userscope revert and migrate it anew, or userscope audit --drift to see the difference' as cure
  from identity
  join pg_proc as proc on proc.oid = identity.proc
  join pg_namespace as schema on schema.oid = pronamespace
  left join written on written.oid = proc.oid,
       lateral (
           select 'Its body was changed.' as why
            where schema.nspname = 'app'
              and case proname when 'current_user_key' then md5(body) <> 'bfff7e2fda3b880243a020b199853d14'
                               when 'current_organization_id' then md5(body) <> 'e5b4950a755d88d7c0ed555cd1d03668'
                               when 'current_user_id' then pg_get_function_sqlbody(proc.oid)
                                    is distinct from 'RETURN (app.current_user_key())::uuid' end
           union all
           select 'It does not run with its owner''s rights, and so cannot read what it judges by.'
            where schema.nspname = 'app' and proname in ('current_user_key', 'current_organization_id') and not prosecdef
           union all
           select 'It is IMMUTABLE: a plan may keep one user''s answer for the next.' where provolatile = 'i'
           union all
           select 'PUBLIC may run it.' where has_function_privilege(0, proc.oid, 'execute')
           union all
           select 'Its owner is not its schema''s.' where proowner <> nspowner and not (schema.nspname = 'app' and proname = 'current_organization_id')
           union all
           select 'Its owner is not app_gate.' where schema.nspname = 'app' and proname = 'current_organization_id'
              and proowner not in (select oid from gate)
       ) as reasons
 group by proc.oid
 order by 2;
