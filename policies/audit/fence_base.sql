-- Can a service reach a fenced table past its fence, or learn by its keys that a row exists?
select level, object, finding, detail, cure
  from fenced,
       lateral (
           select 'error' as level, 'a service has a right on a fenced table' as finding,
                  format('"%s" has %s, and needs no fence.', rolname, string_agg(privilege, ', ' order by number)) as detail,
                  format('revoke all on %s from %I', object, rolname) as cure
             from services,
                  unnest(array['SELECT', 'INSERT', 'UPDATE', 'REFERENCES', 'DELETE', 'TRUNCATE', 'TRIGGER'])
                      with ordinality as privileges (privilege, number)
            where has_table_privilege(services.oid, fenced.oid, privilege)
               or number <= 4 and has_any_column_privilege(services.oid, fenced.oid, privilege)
            group by rolname
           union all
           select 'warning', 'a foreign key tells whether a row exists',
                  format('"%s" may write what refers to it by %I of %s.', rolname, conname, conrelid::regclass),
                  format('alter table %s drop constraint %I', conrelid::regclass, conname)
             from pg_constraint, readers
            where contype = 'f' and confrelid = fenced.oid
              -- With a column that is not theirs to choose, such as the owner, it tells of one's own rows only; so it does
              -- on Citus, where an owner has to be granted, and is judged by the policy before the key is looked up.
              and not exists (select from unnest(conkey) as key (attnum)
                               where not has_column_privilege(readers.oid, conrelid, key.attnum, 'insert, update')
                                  or exists (select from owners, citus where owners.relation = conrelid and owners.attnum = key.attnum))
       ) as findings
union all
select 'error', object, 'a right in app_fenced is another''s than app_gate''s', format('"%s" has %s.', rolname, privilege),
       format('revoke %s on %s from %I', lower(privilege), object, rolname)
  from roles,
       lateral (
           select format('function %s', pg_proc.oid::regprocedure) as object, 'EXECUTE' as privilege from pg_proc
            where pronamespace = to_regnamespace('app_fenced') and has_function_privilege(roles.oid, pg_proc.oid, 'execute') and proowner <> roles.oid
           union all
           select 'schema app_fenced', privilege from unnest(array['USAGE', 'CREATE']) as privilege
            where has_schema_privilege(roles.oid, to_regnamespace('app_fenced'), privilege)
              -- On a node that is added later Citus names, as app_roster, what is app_roster's there.
              and not (rolname = 'app_roster' and privilege = 'USAGE' and exists (select from citus))
       ) as rights
 order by 2, 3, 4;
