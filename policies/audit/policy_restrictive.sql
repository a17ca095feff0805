-- On Citus: which policies are restrictive? It writes them to shards, and to a table that it distributes, as permissive ones.
select 'error' as level, format('policy %s on %s', quote_ident(polname), polrelid::regclass) as object,
       'a restrictive policy is a permissive one on Citus' as finding,
       'What was to limit rows lets them through: Citus makes a shard''s policies without their kind, and says nothing.' as detail,
       'write its condition into each permissive policy, by AND, and drop it' as cure
  from pg_policy
 where not polpermissive and exists (select from citus)
 order by 2;
