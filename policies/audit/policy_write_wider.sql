-- Which policies let a row be changed into one that they would not have shown? So rows are given away.
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
compared (expression, attname) as (  -- the columns of its table that an expression compares with the identity
    select distinct expression,
           case when match[1] like '"%' then replace(substr(match[1], 2, length(match[1]) - 2), '""', '"') else match[1] end
      from (select distinct expression from clauses) as expressions
      join identity on strpos(expression, call) > 0,
           regexp_matches(replace(expression, call, '@me'),
                          '\(\(?("(?:[^"]|"")+"|[^\s().@"]+)(?:\)::[a-z ]+)? = (?:\( SELECT )?@me', 'g') as match
)
select 'error' as level, format('policy %I on %s', policy, object) as object,
       'WITH CHECK is wider than USING' as finding,
       format('USING compares %s with the identity, WITH CHECK does not.', string_agg(quote_ident(attname), ', ' order by attname)) as detail,
       format('alter policy %I on %s with check (the same as using)', policy, object) as cure
  from clauses
  join compared using (expression)
  join (select relation, policy, expression as check from clauses where clause = 'WITH CHECK') as after using (relation, policy)
 where clause = 'USING' and permissive and command in ('w', '*')
   and not exists (select from compared as kept where kept.expression = after.check and kept.attname = compared.attname)
   -- Narrower by OR: it may drop a way to see a row, such as being one of its members, but not all.
   and not exists (select from compared as kept where kept.expression = after.check
                      and kept.attname in (select other.attname from compared as other where other.expression = clauses.expression)
                      and clauses.expression like '% OR %')
 group by policy, object
 order by 2;
