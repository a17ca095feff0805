-- What a database consists of, as one JSON document: tables with columns, policies, constraints and triggers, and what
-- is granted on them; functions; schemas. Names come out quoted, ready to stand in a statement.
-- Its one parameter: the schemas to leave out besides PostgreSQL's own.
with schemas as (
    select oid, nspname from pg_namespace
     where nspname !~ '^pg_' and nspname <> 'information_schema' and nspname <> all (%s::text[])
),
tables as (
    select pg_class.oid, pg_class.oid::regclass::text as name, relrowsecurity, relforcerowsecurity, relowner, relacl
      from pg_class join schemas on schemas.oid = relnamespace
     where relkind in ('r', 'p')
),
roles as (
    -- Whoever a policy names, but PUBLIC: these are the roles that services act as.
    select distinct role.oid, quote_ident(rolname) as name
      from pg_policy join tables on tables.oid = polrelid, unnest(polroles) as member
      join pg_roles as role on role.oid = member
)
select jsonb_build_object(
    'roles', (select coalesce(jsonb_agg(name order by name), '[]') from roles),
    'logins', (
        select coalesce(jsonb_agg(quote_ident(rolname) order by rolname), '[]') from pg_roles
         where rolcanlogin and not rolsuper and exists (select from roles where pg_has_role(pg_roles.oid, roles.oid, 'member'))),
    'temporary', (
        select coalesce(jsonb_agg(name order by name), '[]') from roles
         where has_database_privilege(roles.oid, current_database(), 'temporary')),
    'schemas', (
        select jsonb_agg(jsonb_build_object(
            'name', quote_ident(nspname),
            'usage', (select coalesce(jsonb_agg(name order by name), '[]') from roles where has_schema_privilege(roles.oid, schemas.oid, 'usage')),
            'create', (select coalesce(jsonb_agg(name order by name), '[]') from roles where has_schema_privilege(roles.oid, schemas.oid, 'create'))
        ) order by nspname) from schemas),
    'functions', (
        select coalesce(jsonb_agg(jsonb_build_object(
            'name', pg_proc.oid::regprocedure::text,
            'plain', split_part(pg_proc.oid::regprocedure::text, '(', 1),
            'arguments', pronargs,
            'result', prorettype::regtype::text,
            'definer', prosecdef,
            'volatility', provolatile,
            'settings', coalesce(to_jsonb(proconfig), '[]'),
            'definition', pg_get_functiondef(pg_proc.oid),
            'trigger', prorettype = 'trigger'::regtype,
            'in_policy', exists (
                select from pg_depend where classid = 'pg_policy'::regclass and refclassid = 'pg_proc'::regclass and refobjid = pg_proc.oid),
            'execute', (select coalesce(jsonb_agg(name order by name), '[]') from roles where has_function_privilege(roles.oid, pg_proc.oid, 'execute'))
        ) order by pg_proc.oid::regprocedure::text), '[]')
          from pg_proc join schemas on schemas.oid = pronamespace where prokind = 'f'),
    'tables', (
        select coalesce(jsonb_agg(jsonb_build_object(
            'name', name,
            'schema', split_part(name, '.', 1),
            'enabled', relrowsecurity,
            'forced', relforcerowsecurity,
            'columns', (
                select coalesce(jsonb_agg(jsonb_build_object(
                    'name', quote_ident(attname),
                    'type', format_type(atttypid, atttypmod),
                    'not_null', attnotnull,
                    'key', exists (select from pg_constraint where conrelid = attrelid and contype = 'p' and attnum = any (conkey)),
                    'default', atthasdef and attgenerated = '',
                    'unmeasured', attstattarget = 0,
                    'granted', (
                        select coalesce(jsonb_object_agg(roles.name, (
                                   select jsonb_agg(privilege) from unnest(array['SELECT', 'INSERT', 'UPDATE']) as privilege
                                    where has_column_privilege(roles.oid, attrelid, attnum, privilege))), '{}') from roles)
                ) order by attnum), '[]')
                  from pg_attribute where attrelid = tables.oid and attnum > 0 and not attisdropped),
            'granted', (
                select coalesce(jsonb_object_agg(roles.name, (
                           select jsonb_agg(privilege)
                             from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as privilege
                            where has_table_privilege(roles.oid, tables.oid, privilege))), '{}') from roles),
            'policies', (
                select coalesce(jsonb_agg(jsonb_build_object(
                    'name', quote_ident(polname),
                    'permissive', polpermissive,
                    'command', case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
                                           when 'd' then 'delete' else 'all' end,
                    'roles', (select jsonb_agg(case member when 0 then 'public' else quote_ident(pg_get_userbyid(member)) end) from unnest(polroles) as member),
                    'using', pg_get_expr(polqual, polrelid),
                    'check', pg_get_expr(polwithcheck, polrelid)
                ) order by polname), '[]') from pg_policy where polrelid = tables.oid),
            'constraints', (
                select coalesce(jsonb_agg(jsonb_build_object(
                    'name', quote_ident(conname),
                    'type', contype,
                    'definition', pg_get_constraintdef(pg_constraint.oid),
                    'cascades', confdeltype = 'c',
                    'referenced', exists (select from pg_constraint as other where other.conindid = pg_constraint.conindid and other.contype = 'f')
                ) order by conname), '[]') from pg_constraint where conrelid = tables.oid and contype in ('c', 'f', 'u', 'p', 'x')),
            'triggers', (
                select coalesce(jsonb_agg(quote_ident(tgname) order by tgname), '[]') from pg_trigger
                 where tgrelid = tables.oid and not tgisinternal and tgenabled <> 'D')
        ) order by name), '[]') from tables)
)
