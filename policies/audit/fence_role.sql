-- Can app_gate act as another role, or another as app_gate? Only who could turn policies off anyway may: owners, who hand
-- over what they make. Owners of other databases of the server do so there; who may not connect here does no harm.
select 'error' as level, 'role app_gate' as object, finding, detail, cure
  from gate
  join pg_roles using (oid),
       lateral (
           select 'app_gate can become another role' as finding,
                  format('It is a member of "%s", and has its rights.', other.rolname) as detail,
                  format('revoke %I from app_gate', other.rolname) as cure
             from pg_roles as other
            where not pg_roles.rolsuper and other.oid <> gate.oid and pg_has_role(gate.oid, other.oid, 'member')
           union all
           select 'app_gate may log in', 'Whoever does is bound by no fence.', 'alter role app_gate nologin'
            where rolcanlogin
           union all
           select 'a role can become app_gate', format('"%s" can, and is bound by no fence then.', other.rolname),
                  format('revoke app_gate from %I, or connect on database %I from it and public', other.rolname, current_database())
             from pg_roles as other
            where not other.rolsuper and other.oid <> gate.oid and pg_has_role(other.oid, gate.oid, 'member')
              and has_database_privilege(other.oid, current_database(), 'connect')
              and not exists (select from (select oid from administrators union select datdba from pg_database) as owners
                               where pg_has_role(other.oid, owners.oid, 'member'))
       ) as findings
 order by 3, 4;
