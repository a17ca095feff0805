-- Every policy, its expressions as PostgreSQL writes them with every name's schema.
select polrelid::int8 as relation, polname::text as name, polcmd::text as command, polpermissive as permissive,
       polroles::int8[] as roles, pg_get_expr(polqual, polrelid) as using, pg_get_expr(polwithcheck, polrelid) as check,
       array(select refobjid::int8 from pg_depend
              where classid = 'pg_policy'::regclass and objid = pg_policy.oid and refclassid = 'pg_proc'::regclass) as calls
  from pg_policy;
