-- Is the function that says who acts the one that was deployed?
select 'error' as level, format('function %s', proc.oid::regprocedure) as object,
       'the identity function is not the one that was deployed' as finding,
       string_agg(why, ' ') as detail,
       'userscope revert and migrate it anew, or userscope audit --drift to see the difference' as cure
  from (select proc from identity
         union
        select pg_proc.oid from pg_proc join private on private.oid = pronamespace
         where proname in ('verified_user_key', 'refuse_identity', 'decide_sealing')) as judging
  join pg_proc as proc on proc.oid = judging.proc
  join pg_namespace as schema on schema.oid = pronamespace
  left join written on written.oid = proc.oid,
       lateral (
           select 'Its body was changed.' as why
            where schema.nspname = 'app'
              and case proname when 'current_user_key'  -- which of the two it is, the question "sealing" asks
                               then md5(body) <> all (array['6816562443713bdd33de6823d3074c4b', '5037cb9f349ce89615cb2d6672ec07b4',
                                                                     '90345f442d5e87c522ddf2e1e3465610', 'b0487130b4590059fb76d9c070dec49e'])
                               when 'current_organization_id' then md5(body) <> 'e5b4950a755d88d7c0ed555cd1d03668'
                               when 'current_user_id' then body is distinct from 'RETURN (app.current_user_key())::uuid' end
               or schema.nspname = 'app_private'
              -- As it is on one node, and as distributed:identity has it.
              and case proname when 'verified_user_key' then md5(body) <> all (array['90345f442d5e87c522ddf2e1e3465610', 'b0487130b4590059fb76d9c070dec49e'])
                               when 'refuse_identity' then md5(body) <> all (array['3f833c6b791adb21bb8ba097a1360d29', '629154e19b3e85a20073aea107779b9f'])
                               when 'decide_sealing' then md5(body) <> all (array['b22040266ac9a1143a74851da1b219ef', 'ff004036efb0b1a4a8e671984a36b752']) end
           union all
           select 'It does not run with its owner''s rights, and so cannot read what it judges by.'
            where proname in ('current_user_key', 'current_organization_id', 'verified_user_key') and not prosecdef
              and schema.nspname in ('app', 'app_private')
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
