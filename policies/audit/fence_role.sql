-- Can app_gate or app_roster act as another role, or another as one of them? Only who could turn policies off anyway may:
-- owners, who hand over what they make. Owners of other databases of the server do so there; who may not connect here does
-- no harm.
select 'error' as level, format('role %I', pg_roles.rolname) as object, finding, detail, cure
  from pg_roles,
       lateral (
           select format('%I can become another role', pg_roles.rolname) as finding,
                  format('It is a member of "%s", and has its rights.', other.rolname) as detail,
                  format('revoke %I from %I', other.rolname, pg_roles.rolname) as cure
             from pg_roles as other
            where not pg_roles.rolsuper and other.oid <> pg_roles.oid and pg_has_role(pg_roles.oid, other.oid, 'member')
           union all
           select format('%I may log in', pg_roles.rolname), 'Whoever does is bound by no fence.', format('alter role %I nologin', pg_roles.rolname)
            where pg_roles.rolcanlogin
           union all
           select format('a role can become %I', pg_roles.rolname), format('"%s" can, and is bound by no fence then.', other.rolname),
                  format('revoke %I from %I, or connect on database %I from it and public', pg_roles.rolname, other.rolname, current_database())
             from pg_roles as other
            where not other.rolsuper and other.oid <> pg_roles.oid and pg_has_role(other.oid, pg_roles.oid, 'member')
              and has_database_privilege(other.oid, current_database(), 'connect')
              and not exists (select from (select oid from administrators union select datdba from pg_database) as owners
                               where pg_has_role(other.oid, owners.oid, 'member'))
       ) as findings
 where pg_roles.rolname in ('app_gate', 'app_roster')
 order by 2, 3, 4;
