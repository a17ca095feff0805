-- One row about the login of this connection, for PostgreSQL 15 and later:
--   why                  what puts it above row-level security, or null: it is fit to serve users
--   constraint_messages  the comments of constraints, which become error messages: {"app.todos.todos_title_check": "A title …"}
--   distributed, worker  whether tables may be on several nodes, by Citus, and whether this one is not the coordinator
-- Sent behind a DISCARD ALL, so that nobody's search_path is in force but the login's own.
with logins (oid) as (
    select oid from pg_roles where rolname in (session_user, current_user)
),
/* above.sql */,
ours as (
    select oid, nspowner from pg_namespace where nspname in ('app', 'app_fenced', 'app_private')
),
-- Owners of what we protect with: whoever owns a table can turn its policies off.
owners (owner) as (
    select relowner from pg_class where relrowsecurity or relnamespace in (select oid from ours)
    union
    select nspowner from ours
    union
    select proowner from pg_proc where pronamespace in (select oid from ours)
    union
    select datdba from pg_database where datname = current_database()
),
reasons (role, why) as (
    select role, why from above
    union all
    select rolname, 'owns this database, or tables or functions that protect users' from reach
     where oid in (select owner from owners)
    union all
    select null, 'is a member of app_user and of app_auth at once'
     where (select count(distinct oid) from reach where rolname in ('app_user', 'app_auth')) = 2
    union all
    select pg_get_userbyid(login), format('carries settings of its own: %s', split_part(setting, '=', 1)) from carried
),
told (why) as (
    select distinct coalesce('role "' || role || '" ', 'it ') || why from reasons
)
select coalesce((select format('role "%s" is a superuser', rolname) from reach where rolsuper and oid = login limit 1),
                (select string_agg(why, '; ' order by why) from told)) as why,
       (select jsonb_object_agg(format('%s.%s.%s', nspname, relname, conname), description)
          from pg_description
          join pg_constraint on pg_constraint.oid = objoid
          join pg_class on pg_class.oid = conrelid
          join pg_namespace on pg_namespace.oid = relnamespace
         where classoid = 'pg_constraint'::regclass) as constraint_messages,
       place.*
  from (/* citus.sql */) as place
