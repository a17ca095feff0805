-- What every operator's file can read: it is put in brackets behind these. Names come quoted, with their schema, ready
-- to stand in a statement. PostgreSQL's own objects, Sqitch's registry and what extensions brought are left out.
with recursive schemas as (
    select oid, quote_ident(nspname) as name from pg_namespace
     where nspname !~ '^pg_' and nspname not in ('information_schema', 'sqitch')
),
extended as (
    select classid, objid from pg_depend where deptype = 'e'
),
tables as (
    select pg_class.oid, pg_class.oid::regclass::text as name, schemas.name as schema,
           relrowsecurity as enabled, relforcerowsecurity as forced,
           exists (select from pg_policy where polrelid = pg_class.oid) as has_policy
      from pg_class join schemas on schemas.oid = relnamespace
     where relkind in ('r', 'p') and ('pg_class'::regclass, pg_class.oid) not in (table extended)
),
-- Those whose access is a matter of policies.
protected as (
    select * from tables where enabled or has_policy
),
-- Without those that let in an owner whom policies bind (app_private.admit_owner): no service acts as one.
judged as (
    select * from pg_policy
     where coalesce(pg_get_expr(polqual, polrelid), '') not like '( SELECT pg\_has\_role(SESSION\_USER, ''%''::name, ''member''::text) AS pg\_has\_role)'
),
-- Whoever a policy names: these are the roles that services act as. Where it is PUBLIC, whom the table is granted to,
-- but those that no policy binds.
roles as (
    select distinct pg_roles.oid, quote_ident(rolname) as name
      from judged join tables on tables.oid = polrelid cross join unnest(polroles) as named (member)
      join pg_roles on pg_roles.oid = member
     union
    select pg_roles.oid, quote_ident(rolname)
      from judged join pg_class on pg_class.oid = polrelid
           cross join lateral (
               select grantee from aclexplode(relacl)
                union select grantee from pg_attribute, aclexplode(attacl) where attrelid = pg_class.oid
           ) as granted
           join pg_roles on pg_roles.oid = grantee
     where 0 = any (polroles) and grantee <> relowner and not rolsuper and not rolbypassrls
),
-- Views through which one of these roles answers: its policies bind them.
fences as (
    select pg_class.oid, pg_class.oid::regclass::text as name, schemas.name as schema, roles.oid as owner_oid, reloptions,
           pg_get_viewdef(pg_class.oid) as definition
      from pg_class join schemas on schemas.oid = relnamespace join roles on roles.oid = relowner
     where relkind = 'v'
),
columns as (
    select attrelid as table_oid, attnum, quote_ident(attname) as name, format_type(atttypid, atttypmod) as type,
           attnotnull as not_null, attnotnull and attidentity = '' and attinhcount = 0 as not_null_by_itself,
           atthasdef and attgenerated = '' as has_default,
           coalesce(attstattarget = 0, false) as unmeasured,
           exists (select from pg_constraint where conrelid = attrelid and contype = 'p' and attnum = any (conkey)) as in_key
      from pg_attribute join (select oid from tables union select oid from fences) as relations on relations.oid = attrelid
     where attnum > 0 and not attisdropped
),
policies as (
    select tables.oid as table_oid, tables.name as relation, quote_ident(polname) as name,
           format('%I on %s', polname, tables.name) as target,
           case when polpermissive then 'permissive' else 'restrictive' end as kind,
           case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
                       else 'all' end as command,
           array(select case member when 0 then 'public' else quote_ident(pg_get_userbyid(member)) end
                   from unnest(polroles) with ordinality as named (member, n) order by n) as roles,
           pg_get_expr(polqual, polrelid) as using_text, pg_get_expr(polwithcheck, polrelid) as check_text
      from judged join tables on tables.oid = polrelid
),
-- Functions that a policy calls, itself or through another of them.
called as (
    select refobjid as oid from pg_depend where classid = 'pg_policy'::regclass and refclassid = 'pg_proc'::regclass
     union
    select refobjid from pg_depend join called on objid = called.oid
     where classid = 'pg_proc'::regclass and refclassid = 'pg_proc'::regclass
),
functions as (
    select pg_proc.oid, pg_proc.oid::regprocedure::text as name, pg_proc.oid::regproc::text as plain,
           schemas.name as schema, proowner as owner_oid,
           pg_get_function_arguments(pg_proc.oid) as arguments, pronargs = pronargdefaults as called_bare,
           prorettype::regtype::text as result, prorettype = 'trigger'::regtype as for_trigger,
           prosecdef as definer, provolatile as volatility, coalesce(proconfig, '{}') as settings,
           pg_get_functiondef(pg_proc.oid) as definition, pg_proc.oid in (table called) as in_policy
      from pg_proc join schemas on schemas.oid = pronamespace
     where prokind = 'f' and ('pg_proc'::regclass, pg_proc.oid) not in (table extended)
)
