-- What could be wrong with what is granted: one privilege less, one more.
with relations as (
    select oid, name, null as owner_oid from protected union all select oid, name, owner_oid from fences
),
whole as (
    select relations.oid as table_oid, relations.name as relation, roles.oid as role_oid, roles.name as role, privilege,
           has_table_privilege(roles.oid, relations.oid, privilege) as held
      from relations join roles on roles.oid is distinct from owner_oid,
           unnest('{select,insert,update,delete,truncate,references,trigger}'::text[]) as privilege
),
privileges (words, role, held, also) as (
    select format('%s on %s', privilege, relation), role, held, '' from whole
     union all
    select format('%s (%s) on %s', privilege, columns.name, relation), role,
           has_column_privilege(role_oid, table_oid, attnum, privilege), ''
      from whole join columns using (table_oid) where privilege in ('select', 'insert', 'update') and not held
     union all
    select format('execute on function %s', functions.name), roles.name,
           has_function_privilege(roles.oid, functions.oid, 'execute'), ', public'
      from functions join roles on roles.oid <> owner_oid
     union all
    select format('%s on schema %s', privilege, schemas.name), roles.name,
           has_schema_privilege(roles.oid, schemas.oid, privilege), ''
      from schemas, roles, unnest('{usage,create}'::text[]) as privilege
     where schemas.name in (select schema from tables union select schema from functions join roles on roles.oid = owner_oid)
),
planted (operator, target, ddl) as (
    select 'granted', format('%s to %s', words, role), format('grant %s to %s', words, role)
      from privileges where not held
     union all
    select 'revoked', format('%s from %s', words, role), format('revoke %s from %s%s', words, role, also)
      from privileges where held
     union all
    select 'granted to public', format('select on %s', name), format('grant select on %s to public', name) from relations
     union all
    -- In whichever database it is planted.
    select 'granted', format('temporary on the database to %s', name),
           format('do $$ begin execute format(''grant temporary on database %%I to %s'', current_database()); end $$',
                  replace(replace(name, '''', ''''''), '%', '%%'))
      from roles where not has_database_privilege(oid, current_database(), 'temporary')
)
select operator, target, array[ddl] as ddl,
       case operator when 'revoked' then 'a role can do what it was granted'
                     else 'a role can do no more than it was granted on purpose' end as promise,
       case operator when 'revoked' then 'use the privilege as the role that has it'
                     else 'compare the whole set of privileges, by has_…_privilege, with the one that is meant' end as idea
  from planted
