-- Which policies ask for the identity in another way than once a statement, through its function? Any SQL can change a
-- setting, and all users share a login.
with audited as (
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
)
select level, format('policy %I on %s', policy, object) as object, clause || ' ' || what as finding, detail,
       format('alter policy %I on %s %s (… = (select %s))', policy, object, lower(clause), (select min(call) from identity)) as cure
  from clauses
  join marked using (expression),
       lateral (
           select 'warning' as level, 'asks for the identity once a row' as what,
                  'Wrapped in a SELECT it is asked once a statement.' as detail
            where replace(text, '( SELECT @me AS ', '') like '%@me%' and exists (select from identity where proc is not null)
           union all
           select 'error', 'reads a setting', 'One injected set_config() forges it, whatever is sealed.'
            where text ~ 'current_setting\('
           union all
           select 'error', 'asks who is logged in', 'Services share one login, so it says nothing about the user.'
            where text ~ '\y(CURRENT_USER|SESSION_USER|CURRENT_ROLE|USER)\y'
       ) as findings
 order by 2, 3;
