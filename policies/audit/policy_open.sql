-- Which policies show a service rows that are not the user's? One that is nothing of what follows, or that and something
-- besides: a column is the identity; or the row is one that the user's rows in another table refer to, or refers to one
-- of them. Other roles, such as the identity provider's, may see every row.
with recursive called (me) as (  -- @me is the identity, as told from its spelling; asked once a statement, or once a row
    select '@me'
    union
    select format('( SELECT @me AS %I)', coalesce(proname, split_part(call, '(', 1)))
      from identity left join pg_proc on pg_proc.oid = proc
),
equal (shape) as (
    select format(shape, '%1$s', replace(me, '%', '%%'))
      from called, (values ('(%s = %s)'), ('(%2$s = %1$s)'), ('((%s)::text = %s)'), ('((%s)::bpchar = (%s)::bpchar)')) as shapes (shape)
),
own (relation, shape) as (
    select relation, format(shape, quote_ident(attname))
      from (select distinct relation from clauses) as tables
      join pg_attribute on attrelid = relation and attnum > 0 and not attisdropped, equal
),
flat (relation, text) as (  -- what looks into other tables, in one line
    select relation, regexp_replace(text, '\s+', ' ', 'g')
      from clauses join told using (expression, name) where text like '%ANY (ARRAY(%'
),
ends (here, own_number, there, other_number) as (  -- a column and what it refers to, what refers to it, or to the same
    select conrelid, conkey[1], confrelid, confkey[1] from pg_constraint where contype = 'f'
    union
    select confrelid, confkey[1], conrelid, conkey[1] from pg_constraint where contype = 'f'
    union
    select one.conrelid, one.conkey[1], other.conrelid, other.conkey[1]
      from pg_constraint as one
      join pg_constraint as other on (other.confrelid, other.confkey[1]) = (one.confrelid, one.confkey[1])
     where one.contype = 'f' and other.contype = 'f' and one.conrelid <> other.conrelid
),
edges (here, own, parent, looked_up) as (  -- the same as a policy writes it, where one looks there
    select here, quote_ident(own.attname), there,
           format('ANY (ARRAY( SELECT %I.%I FROM %I.%1$I WHERE ', relname, other.attname, nspname)
      from pg_class
      join pg_namespace on pg_namespace.oid = relnamespace
      join ends on there = pg_class.oid
      join pg_attribute as own on own.attrelid = here and own.attnum = own_number
      join pg_attribute as other on other.attrelid = there and other.attnum = other_number
     where exists (select from flat where strpos(text, format(' FROM %I.%I WHERE ', nspname, relname)) > 0)
),
mine (relation, condition) as (  -- what makes a row of another table the user's: a column of its own, or a row it leads to
    select pg_class.oid, condition
      from pg_class
      join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped,
           equal, format(shape, format('%I.%I', relname, attname)) as condition
     where pg_class.oid in (select parent from edges) and exists (select from flat where strpos(text, condition) > 0)
    union
    select here, through
      from mine
      join edges on parent = mine.relation
      join pg_class on pg_class.oid = here,
           format('(%I.%s = %s%s)))', relname, own, looked_up, condition) as through
     where exists (select from flat where strpos(text, through) > 0)
),
referred (relation, shape) as (
    select here, format('(%s = %s%s)))', own, looked_up, condition) from mine join edges on parent = mine.relation
    union all  -- on Citus, which refuses a sub-select: the same in a function
    select relation, '(id = ANY (app_fenced.own_organizations()))'
      from clauses, citus, written join pg_proc using (oid)
     where object = 'app.organizations' and proname = 'own_organizations' and md5(body) = '15ba8c24baa03ec9145de30fef5cbe98'
),
tied (relation, expression) as (
    select clauses.relation, expression
      from clauses
      join told using (expression, name)
      join (select * from own union all select * from referred) as shapes on shapes.relation = clauses.relation,
           regexp_replace(text, '\s+', ' ', 'g') as line
     where line = shape or starts_with(line, '(' || shape || ' AND ') or right(line, length(shape) + 6) = ' AND ' || shape || ')'
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
       format('alter policy %I on %s %s (… = (select %s))', policy, object, lower(clause), (select call from said)) as cure
  from clauses
  join told using (expression, name)
 where permissive and expression <> 'false' and (relation, expression) not in (select * from tied)
   and not exists (select from clauses as wall
                    where wall.relation = clauses.relation and not wall.permissive and wall.clause = clauses.clause
                      and wall.command in ('*', clauses.command) and (wall.relation, wall.expression) in (select * from tied)
                      and (0 = any (wall.roles) or clauses.roles <@ wall.roles))
 order by 2, 3;
