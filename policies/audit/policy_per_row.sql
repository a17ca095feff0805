-- Which policies of a service are more than one equality? Joined by OR it is no index condition, and a query in it runs
-- once a row: both tell by EXPLAIN how many rows others have. A function answers instead, that runs as a role of its own.
with recursive parts (relation, object, policy, clause, step, rest) as (  -- what is in parentheses falls away: x
    select relation, object, policy, clause, 0,
           regexp_replace(regexp_replace(text, '\( SELECT @me AS [^\s()]+\)', '@me', 'g'),
                          '\(([^\s()]+)\)::[\w.]+(?: varying| precision| with(?:out)? time zone)?', '\1', 'g')
      from clauses
      join marked using (expression, name)
     where clause = 'USING' and permissive
       and exists (select from services, unnest(roles) as role
                    where role in (0, services.oid) or services.oid <> 0 and pg_has_role(services.oid, role, 'usage'))
    union all
    select relation, object, policy, clause, step + 1,
           case when step = 0 then regexp_replace(rest, '\((?:[^\s()@]+ = @me|@me = [^\s()@]+)\)', '@tied', 'g')
                when step = 1 then regexp_replace(rest, '^\((.*)\)$', '\1')
                else regexp_replace(rest, '\([^()]*\)', 'x', 'g') end
      from parts
     where step < 2 or rest like '%(%' and step < 100
)
select 'warning' as level, format('policy %I on %s', policy, object) as object, clause || ' ' || what as finding, detail,
       'compare one column with the identity, and answer what is wider by a function (docs/sharing.md)' as cure
  from (select relation, object, policy, clause,
               -- An array that nothing of the row goes into is made once a statement, and an index finds its members.
               bool_or(step = 0 and (regexp_count(rest, '\n\s*FROM\s') > regexp_count(rest, '= ANY \(ARRAY\( SELECT\s')
                                     or rest ~ 'ARRAY\( SELECT\s' and rest like '%@row%')) as queries,
               bool_or(rest not like '%(%' and step > 1 and ' ' || rest || ' ' ~ ' OR ') as joined
          from parts group by relation, object, policy, clause) as policies,
       lateral (
           select 'runs a query once a row' as what, 'EXPLAIN tells how often, and for how many rows of others.' as detail
            where queries
           union all
           select 'is joined by OR', 'No index finds the rows: EXPLAIN tells how many of others were removed.'
            where joined
       ) as findings
 order by 2, 3;
