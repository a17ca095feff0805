-- Which policies show a service rows that are not the user's? One that is nothing of what follows, or that and something
-- besides: a column is the identity; or the row is one that the user's rows in another table refer to, or refers to one
-- of them. Other roles, such as the identity provider's, may see every row.
with called (me) as (  -- @me is the identity, as told from its spelling; asked once a statement, or once a row
    select '@me'
    union
    select format('( SELECT @me AS %I)', coalesce(proname, split_part(call, '(', 1)))
      from identity left join pg_proc on pg_proc.oid = proc
),
equal (relation, shape) as (
    select relation, format(shape, quote_ident(attname), me)
      from (select distinct relation from clauses) as tables
      join pg_attribute on attrelid = relation and attnum > 0 and not attisdropped,
           called,
           (values ('(%s = %s)'), ('(%2$s = %1$s)'), ('((%s)::text = %s)'), ('((%s)::bpchar = (%s)::bpchar)')) as shapes (shape)
),
referred (relation, shape) as (
    select confrelid, format(E'(%1$I = ANY (ARRAY( SELECT %2$I.%3$I\n   FROM %4$I.%2$I\n  WHERE (%2$I.%5$I = %6$s))))',
                             own.attname, relname, other.attname, nspname, mine.attname, me)
      from pg_constraint
      join pg_class on pg_class.oid = conrelid
      join pg_namespace on pg_namespace.oid = relnamespace
      join pg_attribute as own on own.attrelid = confrelid and own.attnum = confkey[1]
      join pg_attribute as other on other.attrelid = conrelid and other.attnum = conkey[1]
      join pg_attribute as mine on mine.attrelid = conrelid and mine.attnum > 0 and not mine.attisdropped,
           called
     where contype = 'f' and confrelid in (select relation from clauses where expression like '%ANY (ARRAY(%')
    union all  -- or one that refers to the user's rows in another table
    select conrelid, format(E'(%1$I = ANY (ARRAY( SELECT %2$I.%3$I\n   FROM %4$I.%2$I\n  WHERE (%2$I.%5$I = %6$s))))',
                            own.attname, relname, other.attname, nspname, mine.attname, me)
      from pg_constraint
      join pg_class on pg_class.oid = confrelid
      join pg_namespace on pg_namespace.oid = relnamespace
      join pg_attribute as own on own.attrelid = conrelid and own.attnum = conkey[1]
      join pg_attribute as other on other.attrelid = confrelid and other.attnum = confkey[1]
      join pg_attribute as mine on mine.attrelid = confrelid and mine.attnum > 0 and not mine.attisdropped,
           called
     where contype = 'f' and conrelid in (select relation from clauses where expression like '%ANY (ARRAY(%')
),
tied (relation, expression) as (
    select clauses.relation, expression
      from clauses
      join told using (expression, name)
      join (select * from equal union all select * from referred) as shapes on shapes.relation = clauses.relation
     where text = shape or starts_with(text, '(' || shape || ' AND ') or right(text, length(shape) + 6) = ' AND ' || shape || ')'
)
select 'error' as level, format('policy %I on %s', policy, object) as object,
       clause || case
           when text = 'true' or text like '% OR true)%' or strpos(text, '@me') = 0 and not exists (
               select from pg_attribute where attrelid = relation and attnum > 0 and strpos(text, attname) > 0)
           then ' is always true'
           when text like '%@me%) IS NULL%' or text like '%COALESCE(%@me%' or text like '%@me%DISTINCT FROM%' or text like '%DISTINCT FROM%@me%'
           then ' can be true without an identity'
           else ' is not tied to the identity'
       end as finding,
       format('Rows pass that are not the user''s: %s', expression) as detail,
       format('alter policy %I on %s %s (… = (select %s))', policy, object, lower(clause), (select min(call) from identity)) as cure
  from clauses
  join told using (expression, name)
 where permissive and expression <> 'false' and (relation, expression) not in (select * from tied)
   and not exists (select from clauses as wall
                    where wall.relation = clauses.relation and not wall.permissive and wall.clause = clauses.clause
                      and wall.command in ('*', clauses.command) and (wall.relation, wall.expression) in (select * from tied)
                      and (0 = any (wall.roles) or clauses.roles <@ wall.roles))
 order by 2, 3;
