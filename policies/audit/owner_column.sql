-- Is the column that says whose a row is fit for it? It is whatever a service's policy compares with the identity;
-- where it alone is the primary key, the table is the users' own.
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
),
owners (relation, object, attnum, attname, attnotnull) as (
    select distinct relation, object, attnum, pg_attribute.attname, attnotnull
      from clauses
      join compared using (expression)
      join pg_attribute on attrelid = relation and pg_attribute.attname = compared.attname
     where permissive
)
select level, format('%s.%I', object, attname) as object, finding, detail, cure
  from owners,
       lateral (
           select 'error' as level, 'an owner may be null' as finding, 'A row without an owner is seen by nobody, and stays.' as detail,
                  format('alter table %s alter column %I set not null', object, attname) as cure
            where not attnotnull
           union all
           select 'warning', 'an owner is not a foreign key', 'Rows can belong to a user who does not exist, or no longer.',
                  format('alter table %s add foreign key (%I) references … on delete cascade', object, attname)
            where not exists (select from pg_constraint where conrelid = relation and contype = 'f' and attnum = any (conkey))
              and not exists (select from pg_constraint where conrelid = relation and contype = 'p' and conkey = array[attnum])
           union all
           select 'warning', 'rows do not go with their owner',
                  format('Constraint %I is ON DELETE %s.', conname, case confdeltype
                         when 'a' then 'NO ACTION' when 'r' then 'RESTRICT' when 'n' then 'SET NULL' else 'SET DEFAULT' end),
                  format('alter table %1$s drop constraint %2$I, add constraint %2$I … on delete cascade', object, conname)
             from pg_constraint
            where conrelid = relation and contype = 'f' and attnum = any (conkey) and confdeltype <> 'c'
           union all
           select 'warning', 'no index begins with the owner', 'A user''s rows are found by reading everybody''s.',
                  format('create index on %s (%I)', object, attname)
            where not exists (select from pg_index
                               where indrelid = relation and indkey[0] = attnum and indpred is null and indisvalid)
           union all
           select 'warning', 'a service may write the owner',
                  format('"%s" may %s it; the policy stands alone then, and the column''s default would do.', rolname, command),
                  format('revoke %s (%I) on %s from %s', lower(command), attname, object,
                         case oid when 0 then 'public' else quote_ident(rolname) end)
             from services, (values ('INSERT'), ('UPDATE')) as commands (command)
            where has_column_privilege(oid, relation, attnum, command)
       ) as findings
 order by 2, 3, 4;
