-- On Citus: what this node lacks of what keeps users apart, as far as a service's login can tell; one thing a row.
select 'identities do not reach its workers, citus.propagate_set_commands is not "local": run "userscope nodes"' as lacking
 where current_setting('citus.propagate_set_commands', true) is distinct from 'local'
union all
select format('a service may call %s functions of Citus, %s among them: run "userscope nodes"', count(*), min(pg_proc.oid::regprocedure::text))
  from pg_proc
 where proname in ('run_command_on_workers', 'run_command_on_all_nodes', 'citus_stat_activity', 'read_intermediate_result',
                   'delete_placement_metadata', 'citus_internal_delete_placement_metadata')
   and has_function_privilege(pg_proc.oid, 'execute')
having count(*) > 0
