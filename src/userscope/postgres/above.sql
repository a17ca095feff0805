-- What lifts a login above row-level security. The connection's check and the audit say whom they ask about, in
-- "logins (oid)", and put this beside it.
--
-- Every role that a login is, inherits, may SET ROLE to or may grant itself: 'member' covers ADMIN OPTION too, which
-- 'usage' and 'set' of PostgreSQL 16 do not. A superuser counts as a member of every role: being one is enough of it.
reach (login, oid, rolname, rolsuper, rolbypassrls, rolreplication, rolcreaterole) as (
    select me.oid, role.oid, role.rolname, role.rolsuper, role.rolbypassrls, role.rolreplication, role.rolcreaterole
      from logins
      join pg_roles as me using (oid)
      join pg_roles as role on case when me.rolsuper then role.oid = me.oid else pg_has_role(me.oid, role.oid, 'member') end
),
-- role: which of them has it; null where it is the membership itself
above (login, role, why) as (
    select login, rolname, 'is a superuser' from reach where rolsuper
    union all
    select login, rolname, 'has BYPASSRLS' from reach where rolbypassrls
    union all
    select login, rolname, 'has REPLICATION' from reach where rolreplication and oid = login
    union all
    -- Before 16, CREATEROLE grants itself any role that is no superuser.
    select login, rolname, 'has CREATEROLE' from reach
     where rolcreaterole and current_setting('server_version_num')::int < 160000
    union all
    select login, null, format('is a member of "%s"', rolname) from reach
     where oid <> login
       and rolname in ('pg_read_all_data', 'pg_write_all_data', 'pg_maintain', 'pg_monitor', 'pg_read_all_stats',
                       'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program',
                       'pg_create_subscription', 'app_gate', 'app_roster')
),
-- An injected ALTER ROLE leaves settings for every later connection. One is borne: Better Auth names its tables without
-- a schema, so "create-login" gives its login a search_path.
carried (login, setting) as (
    select setrole, setting from logins join pg_db_role_setting on setrole = logins.oid, unnest(setconfig) as setting
     where not (setting = 'search_path=app'
                and exists (select from reach where reach.login = setrole and rolname = 'app_auth'))
)
