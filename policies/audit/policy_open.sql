-- Which policies show a service rows that are not the user's? Somewhere outside every OR a column must be compared with
-- the identity, or the row found through a table where it is. Other roles, such as the identity provider's, may see
-- every row.
with recursive reduced (expression, name, step, rest) as (  -- from the innermost parentheses outwards, to @tied or something else
    select expression, name, 0,
           regexp_replace(regexp_replace(text, '\( SELECT @me AS [^\s()]+\)', '@me', 'g'),
                          '\(([^\s()]+)\)::[\w.]+(?: varying| precision| with(?:out)? time zone)?', '\1', 'g')
      from marked
    union all
    select expression, name, step + 1,
           case when read <> rest then read else regexp_replace(rest, '\([^()]*\)', 'x', 'g') end
      from reduced,
           regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(rest,
               '\((?:[^\s()@]+ = @me|@me = [^\s()@]+)\)', '@tied', 'g'),
               '\((?:@row[^\s()@]+ = @me|@me = @row[^\s()@]+)\)', '@both', 'g'),
               '\((?=(?:[^()]* AND )?@tied(?: AND |\)))(?=(?:[^()]* AND )?@row(?: AND |\)))[^()]*\)'
               '|\((?:[^()]* AND )?@both(?: AND [^()]*)?\)|\(@both(?: OR @both)*\)', '@both', 'g'),
               '\((?![^()]*@row)(?:[^()]* AND )?@tied(?: AND [^()]*)?\)|\(@tied(?: OR @tied)*\)', '@tied', 'g'),
               -- A row found through a table: by a query on it that mentions this row, or by a value of this row in it.
               'EXISTS \( SELECT\s(?![^()]*(?:UNION|EXCEPT|INTERSECT)\M)(?:[^()]*\sWHERE @both|[^()]*@row[^()]*\sWHERE @tied)\)'
               '|\([^\s()]+ = ANY \(ARRAY\( SELECT\s(?![^()]*(?:UNION|EXCEPT|INTERSECT)\M)[^()]*\sWHERE @tied\)\)\)'
               '|[^\s()]+ IN \( SELECT\s(?![^()]*(?:UNION|EXCEPT|INTERSECT)\M)[^()]*\sWHERE @(?:tied|both)\)', '@tied', 'g'),
               '\((?!NOT |[^()]* OR |[^()]*@(?:tied|both))[^()]*@row\.[^()]*\)', '@row', 'g') as read
     where rest like '%(%' and step < 100
),
tied (expression, name) as (
    select expression, name from reduced where rest = '@tied'
)
select 'error' as level, format('policy %I on %s', policy, object) as object,
       clause || case
           when text ~ '^true$|[( ]true OR | OR true[) ]' or expression ~ '^\(+([^()]+) = \1\)+$' then ' is always true'
           when text ~ '@me(?: AS [^\s()]+)?\)* IS NULL|COALESCE\([^,]*@me|IS DISTINCT FROM [( ]*(?:SELECT )?@me|@me(?: AS [^\s()]+)?\)* IS DISTINCT FROM'
           then ' can be true without an identity'
           else ' is not tied to the identity'
       end as finding,
       format('Rows pass that are not the user''s: %s', expression) as detail,
       format('alter policy %I on %s %s (… = (select %s))', policy, object, lower(clause), (select min(call) from identity)) as cure
  from clauses
  join marked using (expression, name)
 where permissive and expression <> 'false' and (expression, name) not in (select * from tied)
   and not exists (select from clauses as wall
                    where wall.relation = clauses.relation and not wall.permissive and wall.clause = clauses.clause
                      and wall.command in ('*', clauses.command) and (wall.expression, wall.name) in (select * from tied)
                      and (0 = any (wall.roles) or clauses.roles <@ wall.roles))
 order by 2, 3;
