-- What can everybody do here that nobody was meant to? Effects, not statements: a revoke may have done nothing.
select 'error' as level, format('database %I', current_database()) as object,
       format('%s may %s', case roles.oid when 0 then 'everybody' else format('"%s"', rolname) end,
              case privilege when 'TEMPORARY' then 'make temporary objects' else 'make schemas' end) as finding,
       case privilege when 'TEMPORARY' then 'A temporary table can shadow another, and waits in a pooled connection for the next user.'
            else 'Who owns a schema can plant in it what others look up.' end as detail,
       format('its owner runs: revoke %s on database %I from %s', lower(privilege), current_database(),
              case when has_database_privilege(0, current_database(), privilege) then 'public' else quote_ident(rolname) end) as cure
  from roles, unnest(array['TEMPORARY', 'CREATE']) as privilege
 where has_database_privilege(roles.oid, current_database(), privilege)
union all
select 'error', format('schema %I', nspname),
       format('%s may make objects there', case roles.oid when 0 then 'everybody' else format('"%s"', rolname) end),
       'A planted function or table can be taken for another.',
       format('revoke create on schema %I from %s', nspname, quote_ident(rolname))
  from pg_namespace, roles
 where nspname !~ '^pg_' and nspname <> 'information_schema' and has_schema_privilege(roles.oid, pg_namespace.oid, 'create')
union all
select 'warning', format('schema %I', nspname), 'everybody may enter it', 'Every role that is ever made can look names up there.',
       format('revoke usage on schema %I from public', nspname)
  from audited
 where has_schema_privilege(0, oid, 'usage')
union all
select 'warning', format('function %s', pg_proc.oid::regprocedure), 'everybody may run it', 'PostgreSQL grants that to PUBLIC at birth.',
       format('revoke execute on function %s from public', pg_proc.oid::regprocedure)
  from pg_proc
  join audited on audited.oid = pronamespace
 where has_function_privilege(0, pg_proc.oid, 'execute')
   and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e')
 order by 2, 3;
