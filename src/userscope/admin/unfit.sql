-- Why no login may be a member of the role that is asked about: one row with the reasons, or none.
with logins (oid) as (
    select oid from pg_catalog.pg_roles where rolname = $1
),
/* above.sql */,
owners (owner) as (
    select relowner from pg_catalog.pg_class where relrowsecurity
    union
    select nspowner from pg_catalog.pg_namespace where nspname in ('app', 'app_fenced', 'app_private')
    union
    select datdba from pg_catalog.pg_database where datname = current_database()
),
reasons (why) as (
    select why || case when role <> rolname then format(' through "%s"', role) else '' end
      from above join pg_catalog.pg_roles on pg_roles.oid = login
    union all
    select format('owns this database, or tables that protect users, as "%s"', rolname) from reach join owners on owner = oid
    union all
    select unnest(array[case when rolcanlogin then 'logs in itself' end,
                        case when rolcreaterole or rolcreatedb then 'may create roles or databases' end,
                        case when rolname ~ '^pg_' then 'belongs to PostgreSQL' end,
                        case when rolname in ('app_gate', 'app_roster') then 'is nobody''s to become' end])
      from logins join pg_catalog.pg_roles using (oid)
)
select string_agg(why, ', ' order by why) as why from reasons where why is not null having count(why) > 0
