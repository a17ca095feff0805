-- What could be wrong with functions: what policies stand on.
with heads as (
    -- The start of a function in its place, which says what it likes.
    select name, in_policy and called_bare as identity, result, definition,
           format('create or replace function %s(%s) returns %s language sql stable', plain, arguments, result)
           || case when definer then ' security definer set search_path = pg_catalog, pg_temp' else '' end as head
      from functions
)
select 'volatile' as operator, name as target, array[format('alter function %s volatile', name)] as ddl,
       'the helper runs once a statement' as promise, 'look into the catalog, and compare with what is meant' as idea
  from functions where volatility <> 'v'
 union all
select 'search_path not pinned', name, array[format('alter function %s reset search_path', name)],
       'nobody can slip an object of theirs under a function', 'look into the catalog, and compare with what is meant'
  from functions where exists (select from unnest(settings) as setting where setting like 'search\_path=%')
 union all
select 'security invoker or definer', name,
       array[format('alter function %s security %s', name, case when definer then 'invoker' else 'definer' end)],
       'a function runs as whom it was written for', 'look into the catalog, and compare with what is meant'
  from functions where definer or not for_trigger
 union all
select 'constant', name, array[format('%s as $$ select null::%s $$', head, result)],
       'an identity is whose it says', 'act for a user, and see that user''s rows'
  from heads where identity
 union all
select distinct 'only reads ' || setting[1], name,
       array[format('%s as $$ select nullif(current_setting(%L, true), '''')::%s $$', head, setting[1], result)],
       'an identity is checked before it counts', 'act with a wrong identity in every form, and expect each to be refused'
  from heads, regexp_matches(definition, 'current_setting\(''([^'']+)''', 'g') as read (setting) where identity
