-- One row about the login of this connection, for PostgreSQL 15 and later:
--   why                  what puts it above row-level security, or null: it is fit to serve users
--   constraint_messages  the comments of constraints, which become error messages: {"app.todos.todos_title_check": "A title …"}
-- Sent behind a DISCARD ALL, so that nobody's search_path is in force but the login's own.
with me as (
    select * from pg_roles where rolname in (session_user, current_user)
),
-- Every role that this login is, inherits, may SET ROLE to or may grant itself: 'MEMBER' covers ADMIN OPTION too, which
-- 'USAGE' and 'SET' of PostgreSQL 16 do not.
reach as (
    select * from pg_roles as role where exists (select from me where pg_has_role(me.oid, role.oid, 'MEMBER'))
),
-- Owners of what we protect with: whoever owns a table can turn its policies off.
owners as (
    select relowner as owner from pg_class
     where relrowsecurity or relnamespace in (to_regnamespace('app'), to_regnamespace('app_private'))
    union
    select nspowner from pg_namespace where nspname in ('app', 'app_private')
    union
    select proowner from pg_proc where pronamespace in (to_regnamespace('app'), to_regnamespace('app_private'))
    union
    select datdba from pg_database where datname = current_database()
),
reasons (why) as (
    select format('role "%s" is a superuser', rolname) from reach where rolsuper
    union all
    select format('role "%s" has BYPASSRLS', rolname) from reach where rolbypassrls
    union all
    select format('role "%s" has REPLICATION', rolname) from me where rolreplication
    union all
    -- Before 16, CREATEROLE grants itself any role that is no superuser.
    select format('role "%s" has CREATEROLE', rolname) from reach
     where rolcreaterole and current_setting('server_version_num')::int < 160000
    union all
    select format('role "%s" owns this database, or tables or functions that protect users', rolname) from reach
     where oid in (select owner from owners)
    union all
    select format('it is a member of "%s"', rolname) from reach
     where rolname in ('pg_read_all_data', 'pg_write_all_data', 'pg_maintain', 'pg_monitor', 'pg_read_all_stats',
                       'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program',
                       'pg_create_subscription')
    union all
    select 'it is a member of app_user and of app_auth at once'
     where (select count(*) from reach where rolname in ('app_user', 'app_auth')) = 2
    union all
    select format('role "%s" carries settings of its own: %s', me.rolname, name)
      from me
      join pg_db_role_setting on setrole = me.oid,
           unnest(setconfig) as setting,
           split_part(setting, '=', 1) as name
     where name <> 'search_path'
)
-- A superuser counts as a member of every role: the first reason is enough of it.
select coalesce((select format('role "%s" is a superuser', rolname) from me where rolsuper limit 1),
                (select string_agg(distinct why, '; ' order by why) from reasons)) as why,
       (select jsonb_object_agg(format('%s.%s.%s', nspname, relname, conname), description)
          from pg_description
          join pg_constraint on pg_constraint.oid = objoid
          join pg_class on pg_class.oid = conrelid
          join pg_namespace on pg_namespace.oid = relnamespace
         where classoid = 'pg_constraint'::regclass) as constraint_messages
