-- What the questions have in common. It is put before each, with what stands in src/userscope/postgres/above.sql:
-- "userscope audit --sql" prints them whole.
--
-- What is audited is a setting of the session or of the database; each is a list, and has a default.
with recursive lists (setting, kind, entry) as (
    select setting, kind, entry
      from (values ('userscope.audit_schemas', 'schema', 'app'),
                   ('userscope.audit_private_schemas', 'schema', 'app_private'),
                   ('userscope.audit_service_roles', 'role', 'app_user'),
                   ('userscope.audit_provider_roles', 'role', 'app_auth,app_roster'),
                   ('userscope.audit_identity', 'function or expression',
                    'app.current_user_id(),app.current_user_key(),app.current_organization_id()'),
                   ('userscope.audit_definer_functions', 'function',
                    'app.current_user_key(),app.seal_required(),app.colleagues(),app.my_invitations()')
           ) as known (setting, kind, standard),
           unnest(('{' || coalesce(nullif(current_setting(setting, true), ''), standard) || '}')::text[]) as entry
),
audited (oid, nspname) as (
    select oid, nspname from pg_namespace
     where nspname in (select entry from lists where setting = 'userscope.audit_schemas') or nspname = 'app_fenced'
        -- Where nobody says which: wherever a policy binds a service. Only a superuser may say it for a whole database.
        or nullif(current_setting('userscope.audit_schemas', true), '') is null
           and exists (select from pg_policy
                         join pg_class on pg_class.oid = polrelid and relnamespace = pg_namespace.oid
                         join services on services.oid = any (polroles) and services.oid <> 0)
),
private (oid, nspname) as (
    select oid, nspname from pg_namespace
     where nspname in (select entry from lists where setting = 'userscope.audit_private_schemas')
),
schemas (oid, nspname) as (
    select * from audited union select * from private
),
services (oid, rolname) as (  -- 0 is PUBLIC
    select oid, rolname::text from pg_roles
     where rolname in (select entry from lists where setting = 'userscope.audit_service_roles')
    union
    select 0, 'public'
),
providers (oid, rolname) as (
    select oid, rolname::text from pg_roles
     where rolname in (select entry from lists where setting = 'userscope.audit_provider_roles')
),
roles (oid, rolname) as (
    select * from services union select * from providers
),
gate (oid, rolname) as (  -- owns the views that answer for fenced tables, and is bound by their policies
    select oid, rolname::text from pg_roles where rolname = 'app_gate'
),
readers (oid, rolname) as (  -- who sees one user's rows at a time: what app_gate sees, a service sees through a view
    select * from services union select * from gate
),
fenced (oid, object) as (  -- tables that app_gate alone may touch for a service
    select pg_class.oid, format('%I.%I', nspname, relname)
      from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where relkind in ('r', 'p')
       and (nspname = 'app_fenced' or exists (select from pg_policy join gate on gate.oid = any (polroles) where polrelid = pg_class.oid))
),
reading (relation, source) as (  -- which view reads which table or view
    select distinct ev_class, refobjid
      from pg_rewrite
      join pg_depend on classid = 'pg_rewrite'::regclass and objid = pg_rewrite.oid and refclassid = 'pg_class'::regclass
     where refobjid <> ev_class
),
citus (extname) as (  -- a row where tables may be on several nodes
    select extname from pg_extension where extname = 'citus'
),
invokers (oid) as (  -- views that show their reader what the reader sees
    select pg_class.oid from pg_class, pg_options_to_table(reloptions)
     where option_name = 'security_invoker' and option_value::boolean
),
written (oid, body) as (  -- functions' bodies as on one node: on Citus they read each node's own copy of a table, by its name
    select pg_proc.oid, case when prosqlbody is not null then pg_get_function_sqlbody(pg_proc.oid)
                             when extname is null then prosrc else regexp_replace(prosrc, copy, '\1', 'g') end
      from pg_proc left join citus on true, (values ('(app\w*[.](\w+?))_[0-9]{6,}(?: as \2\M)?')) as copies (copy)
     where pronamespace in (select oid from pg_namespace where nspname in ('app', 'app_fenced', 'app_private'))
),
administrators (oid) as (  -- who owns the database or a schema is bound by nothing, and says so
    select datdba from pg_database where datname = current_database()
    union
    select nspowner from pg_namespace join audited using (oid)
),
members (role, oid) as (  -- who can act as a service or provider: since 16, ADMIN alone does not
    select oid, oid from services where oid <> 0
    union
    select oid, oid from providers
    union
    select role, member
      from members
      join pg_auth_members as grants on grants.roleid = members.oid
     where coalesce((to_jsonb(grants) ->> 'set_option')::boolean, true)
        or coalesce((to_jsonb(grants) ->> 'inherit_option')::boolean, true)
),
logins (oid) as (  -- whom above.sql is asked about
    select oid from members except select oid from administrators union select oid from gate
),
/* above.sql */,
identity (call, proc) as (  -- as PostgreSQL writes it in a policy: with its schema, or without; with roles, or without
    select coalesce(proc.oid::regproc || '()', entry), proc.oid
      from lists
      left join (pg_proc as proc join pg_namespace on pg_namespace.oid = pronamespace)
             on pronargs = pronargdefaults and format('%s.%s()', nspname, proname) = entry
     where setting = 'userscope.audit_identity'
),
clauses (relation, object, policy, command, permissive, roles, clause, expression, name) as (
    select polrelid, format('%I.%I', nspname, relname), polname, polcmd, polpermissive, polroles, clause, expression,
           -- Sub-selects write the policy's own table by its name.
           case when expression ~ 'EXISTS|ARRAY\( SELECT' then quote_ident(relname) || '.' else '' end
      from pg_policy
      join pg_class on pg_class.oid = polrelid
      join audited on audited.oid = relnamespace,
           lateral (values ('USING', polqual), ('WITH CHECK', polwithcheck)) as parts (clause, node),
           lateral pg_get_expr(node, polrelid) as expression
     where node is not null
       and exists (select from readers, unnest(polroles) as role
                    where role in (0, readers.oid) or readers.oid <> 0 and pg_has_role(readers.oid, role, 'usage'))
),
told (expression, name, text) as (  -- @me: the identity, however it is spelt, and whatever it is cast to
    select expression, name,
           regexp_replace(regexp_replace(expression, spelt, '@me', 'g'),
                          '\(@me\)::[\w.]+(?: varying| precision| with(?:out)? time zone)?', '@me', 'g')
      from (select distinct expression, name from clauses) as expressions,
           (select string_agg(regexp_replace(regexp_replace(call, '([^\w\s])', '\\\1', 'g'), '\\\)$', '(?:VARIADIC ARRAY\[[^]]*\])?\\)'), '|'
                                order by length(call) desc) as spelt
              from identity) as every
),
said (call) as (  -- what a cure names: the identity that policies ask for, or one that is there
    select call from identity
     order by (select count(*) from clauses where strpos(expression, call) > 0) desc, proc is null, call
     limit 1
),
compared (expression, attname) as (  -- the columns of its table that an expression compares with the identity
    select distinct expression,
           case when match[1] like '"%' then replace(substr(match[1], 2, length(match[1]) - 2), '""', '"') else match[1] end
      from told,
           regexp_matches(text, '\(\(?("(?:[^"]|"")+"|[^\s().@"]+)(?:\)::[a-z ]+)? = (?:\( SELECT )?@me', 'g') as match
),
owners (relation, object, attnum, attname, attnotnull) as (
    select distinct relation, object, attnum, pg_attribute.attname, attnotnull
      from clauses
      join compared using (expression)
      join pg_attribute on attrelid = relation and pg_attribute.attname = compared.attname
     where permissive
),
marked (expression, name, text) as (  -- @row: the policy's own; q: literals and quoted names
    select expression, name,
           regexp_replace(replace(text, name, '@row.'), '''(?:[^'']|'''')*''|"(?:[^"]|"")*"', 'q', 'g')
      from told
)
