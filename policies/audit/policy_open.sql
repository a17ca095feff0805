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
clauses (relation, object, policy, command, permissive, roles, clause, expression) as (
    select polrelid, format('%I.%I', nspname, relname), polname, polcmd, polpermissive, polroles, clause,
           pg_get_expr(node, polrelid)
      from pg_policy
      join pg_class on pg_class.oid = polrelid
      join audited on audited.oid = relnamespace,
           lateral (values ('USING', polqual), ('WITH CHECK', polwithcheck)) as parts (clause, node)
     where node is not null
       and exists (select from services, unnest(polroles) as role
                    where role in (0, services.oid) or services.oid <> 0 and pg_has_role(services.oid, role, 'usage'))
),
marked (expression, text) as (  -- the identity as @me; literals and quoted names, which may hold anything, as q
    select expression,
           regexp_replace(coalesce((select replace(expression, call, '@me') from identity
                                     where strpos(expression, call) > 0 order by length(call) desc limit 1), expression),
                          '''(?:[^'']|'''')*''|"(?:[^"]|"")*"', 'q', 'g')
      from (select distinct expression from clauses) as expressions
),
reading (expression, step, rest) as (  -- from the innermost parentheses outwards, to @tied or something else
    select expression, 0,
           regexp_replace(regexp_replace(text, '\( SELECT @me AS [^\s()]+\)', '@me', 'g'),
                          '\(([^\s()]+)\)::[a-z ]+', '\1', 'g')
      from marked
    union all
    select expression, step + 1,
           regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(rest,
               '\((?:[^\s()@]+ = @me|@me = [^\s()@]+)\)', '@tied', 'g'),
               'EXISTS \( SELECT [^()]*\sWHERE @tied\)|[^\s()]+ IN \( SELECT [^()]*\sWHERE @tied\)', '@tied', 'g'),
               '\((?:[^()]* AND )?@tied(?: AND [^()]*)?\)|\(@tied(?: OR @tied)*\)', '@tied', 'g'),
               '\(NOT [^()]*\)', 'x', 'g'),
               '\((?![^()]*(?: AND |^)@tied)[^()]*\)', 'x', 'g')
      from reading
     where rest like '%(%' and step < 100
),
tied (expression) as (
    select expression from reading where rest = '@tied'
)
select 'error' as level, format('policy %I on %s', policy, object) as object,
       clause || case
           when text ~ '^(?:true|\(*(?:[0-9]+ = [0-9]+|q = q)\)*)$|[( ]true OR | OR true[) ]' then ' is always true'
           when text ~ '@me(?: AS [^\s()]+)?\)* IS NULL|COALESCE\([^,]*@me|IS DISTINCT FROM [( ]*(?:SELECT )?@me|@me(?: AS [^\s()]+)?\)* IS DISTINCT FROM'
           then ' can be true without an identity'
           else ' is not tied to the identity'
       end as finding,
       format('Rows pass that are not the user''s: %s', expression) as detail,
       format('alter policy %I on %s %s (… = (select %s))', policy, object, lower(clause), (select min(call) from identity)) as cure
  from clauses
  join marked using (expression)
 where permissive and expression <> 'false' and expression not in (select expression from tied)
   and not exists (select from clauses as wall
                    where wall.relation = clauses.relation and not wall.permissive and wall.clause = clauses.clause
                      and wall.command in ('*', clauses.command) and wall.expression in (select expression from tied)
                      and (0 = any (wall.roles) or clauses.roles <@ wall.roles))
 order by 2, 3;
