-- Which policies show a service rows that are not the user's? Somewhere outside every OR a column must be compared with
-- the identity, or the row found through a table where it is. Other roles, such as the identity provider's, may see
-- every row.
with recursive audited as (
    select oid, nspname from pg_namespace
     where nspname = any (('{' || coalesce(nullif(current_setting('userscope.audit_schemas', true), ''), 'app') || '}')::text[])
),
services as (  -- 0 is PUBLIC
    select oid, rolname::text from pg_roles
     where rolname = any (('{' || coalesce(nullif(current_setting('userscope.audit_service_roles', true), ''), 'app_user') || '}')::text[])
    union all
    select 0, 'public'
),
identity (call, proc) as (  -- as PostgreSQL writes it in a policy: with its schema, or without
    select coalesce(proc.oid::regprocedure::text, entry), proc.oid
      from unnest(('{' || coalesce(nullif(current_setting('userscope.audit_identity', true), ''), 'app.current_user_id()') || '}')::text[]) as entry
      left join (pg_proc as proc join pg_namespace on pg_namespace.oid = pronamespace)
             on pronargs = 0 and format('%s.%s()', nspname, proname) = entry
),
clauses (relation, object, policy, command, permissive, roles, clause, expression, name) as (
    select polrelid, format('%I.%I', nspname, relname), polname, polcmd, polpermissive, polroles, clause, expression,
           -- Sub-selects write the policy's own table by its name.
           case when expression like '%EXISTS%' then quote_ident(relname) || '.' else '' end
      from pg_policy
      join pg_class on pg_class.oid = polrelid
      join audited on audited.oid = relnamespace,
           lateral (values ('USING', polqual), ('WITH CHECK', polwithcheck)) as parts (clause, node),
           lateral pg_get_expr(node, polrelid) as expression
     where node is not null
       and exists (select from services, unnest(polroles) as role
                    where role in (0, services.oid) or services.oid <> 0 and pg_has_role(services.oid, role, 'usage'))
),
marked (expression, name, text) as (  -- @me: the identity; @row: the policy's own; q: literals and quoted names
    select expression, name,
           regexp_replace(replace(coalesce((select replace(expression, call, '@me') from identity
                                             where strpos(expression, call) > 0 order by length(call) desc limit 1), expression),
                                  name, '@row.'),
                          '''(?:[^'']|'''')*''|"(?:[^"]|"")*"', 'q', 'g')
      from (select distinct expression, name from clauses) as expressions
),
reading (expression, name, step, rest) as (  -- from the innermost parentheses outwards, to @tied or something else
    select expression, name, 0,
           regexp_replace(regexp_replace(text, '\( SELECT @me AS [^\s()]+\)', '@me', 'g'),
                          '\(([^\s()]+)\)::[\w.]+(?: varying| precision| with(?:out)? time zone)?', '\1', 'g')
      from marked
    union all
    select expression, name, step + 1,
           case when read <> rest then read else regexp_replace(rest, '\([^()]*\)', 'x', 'g') end
      from reading,
           regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(rest,
               '\((?:[^\s()@]+ = @me|@me = [^\s()@]+)\)', '@tied', 'g'),
               '\((?:@row[^\s()@]+ = @me|@me = @row[^\s()@]+)\)', '@both', 'g'),
               '\((?=(?:[^()]* AND )?@tied(?: AND |\)))(?=(?:[^()]* AND )?@row(?: AND |\)))[^()]*\)'
               '|\((?:[^()]* AND )?@both(?: AND [^()]*)?\)|\(@both(?: OR @both)*\)', '@both', 'g'),
               '\((?![^()]*@row)(?:[^()]* AND )?@tied(?: AND [^()]*)?\)|\(@tied(?: OR @tied)*\)', '@tied', 'g'),
               -- A row found through a table: by a query on it that mentions this row, or by a value of this row in it.
               'EXISTS \( SELECT\s(?![^()]*(?:UNION|EXCEPT|INTERSECT)\M)(?:[^()]*\sWHERE @both|[^()]*@row[^()]*\sWHERE @tied)\)'
               '|[^\s()]+ IN \( SELECT\s(?![^()]*(?:UNION|EXCEPT|INTERSECT)\M)[^()]*\sWHERE @(?:tied|both)\)', '@tied', 'g'),
               '\((?!NOT |[^()]* OR |[^()]*@(?:tied|both))[^()]*@row\.[^()]*\)', '@row', 'g') as read
     where rest like '%(%' and step < 100
),
tied (expression, name) as (
    select expression, name from reading where rest = '@tied'
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
