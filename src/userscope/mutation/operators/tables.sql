-- What could be wrong with tables: their protection, the rules that they keep, and what is made over them.
with made as (
    -- A view and a function of the owner's, opened to a service's role.
    select protected.name, schema || '.userscope_mutant' as thing, role
      from protected, (select max(name collate "C") as role from roles) as last where has_policy
),
constraints as (
    select tables.name as relation, quote_ident(conname) as name, format('%I on %s', conname, tables.name) as target,
           format('alter table %s drop constraint %I', tables.name, conname) as dropped, contype, confdeltype = 'c' as cascades,
           pg_get_constraintdef(pg_constraint.oid) as definition,
           exists (select from pg_constraint as other
                    where other.conindid = pg_constraint.conindid and other.contype = 'f') as referenced
      from pg_constraint join tables on tables.oid = conrelid where contype in ('c', 'f', 'u', 'p', 'x') and coninhcount = 0
)
select 'row security disabled' as operator, name as target, array[format('alter table %s disable row level security', name)] as ddl,
       'a user reaches only their own rows' as promise,
       format('as one user, read %s while another has rows in it', name) as idea
  from protected where enabled
 union all
select 'row security not forced', name, array[format('alter table %s no force row level security', name)],
       'a user reaches only their own rows',
       format('as the owner of %s, without BYPASSRLS, read it: nothing may come', name)
  from protected where forced
 union all
select 'owned by ' || roles.name, protected.name, array[format('alter table %s owner to %s', protected.name, roles.name)],
       'a service''s role owns nothing that protects', 'look into the catalog, and compare with what is meant'
  from protected, roles where has_policy
 union all
select 'definer view', name,
       array[format('create view %s as table %s', thing, name), format('grant select on %s to %s', thing, role)],
       'a user reaches only their own rows',
       format('list the views that %s may read: each must have security_invoker', role)
  from made where role is not null
 union all
select 'definer function', name,
       array[format('create function %s() returns setof %s language sql stable security definer begin atomic table %2$s; end', thing, name),
             format('grant execute on function %s() to %s', thing, role)],
       'a user reaches only their own rows',
       format('list the definer functions that %s may execute: none but those that are meant', role)
  from made where role is not null
 union all
select 'may be null', format('%s.%s', tables.name, columns.name),
       array[format('alter table %s alter %s drop not null', tables.name, columns.name)],
       'the database refuses what breaks its own rules', format('write null to %s.%s', tables.name, columns.name)
  from tables join columns on table_oid = oid where not_null_by_itself and not in_key
 union all
select 'without default', format('%s.%s', tables.name, columns.name),
       array[format('alter table %s alter %s drop default', tables.name, columns.name)],
       'what an insert leaves out is supplied', format('insert without %s.%s', tables.name, columns.name)
  from tables join columns on table_oid = oid where has_default
 union all
select 'with statistics', format('%s.%s', tables.name, columns.name),
       array[format('alter table %s alter %s set statistics 100', tables.name, columns.name)],
       'nobody learns of rows that they cannot see', 'EXPLAIN reads statistics: expect none, after ANALYZE too'
  from tables join columns on table_oid = oid where unmeasured
 union all
select 'does not cascade', target,
       array[dropped, format('alter table %s add constraint %s %s', relation, name, replace(definition, ' ON DELETE CASCADE', ''))],
       'what a user owns goes with them', 'delete a user who has rows: these must go, and nobody else''s'
  from constraints where contype = 'f' and cascades
 union all
select 'constraint dropped', target, array[dropped],
       'the database refuses what breaks its own rules', format('write what %s refuses', name)
  from constraints where not referenced
 union all
select 'trigger disabled', format('%I on %s', tgname, name), array[format('alter table %s disable trigger %I', name, tgname)],
       'the database refuses what breaks its own rules', format('cause what %I does, and look', tgname)
  from pg_trigger join tables on tables.oid = tgrelid where not tgisinternal and tgenabled <> 'D'
