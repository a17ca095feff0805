-- What the runner reads from and writes to Sqitch's registry. Everything is schema-qualified: a script may have left any
-- search_path. committed_at is the clock's time, not the transaction's, since Sqitch orders changes by it.

-- name: facts
select current_setting('server_version_num') as version_number,
       current_setting('server_version') as version,
       current_setting('transaction_read_only') as read_only,
       pg_catalog.pg_is_in_recovery()::text as in_recovery,
       exists (
           select from pg_catalog.pg_tables where schemaname = $1 and tablename = 'changes'
       )::text as initialized

-- name: try_lock
select pg_catalog.pg_try_advisory_lock(:lock)::text as locked

-- name: lock_holder
-- Of a session whose login the owner is no member of, PostgreSQL shows neither what it does nor since when.
select pg_catalog.format(
           'process %s ("%s", login "%s"%s)', pid, application_name, usename,
           ', ' || state || ' since '
               || pg_catalog.to_char(state_change at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
       ) as holder
  from pg_catalog.pg_locks
  join pg_catalog.pg_database on pg_database.oid = pg_locks.database and datname = pg_catalog.current_database()
  join pg_catalog.pg_stat_activity using (pid)
 where locktype = 'advisory' and (classid, objid, objsubid) = (0, :lock, 1) and granted

-- name: settings
-- What "alter database" and "alter role" have set for a session that begins now, the strongest of each name. Here it is
-- given to this session as well, where $1, what it began with, has it otherwise and the role may set it.
with given as (
    select distinct on (name) name, value
      from (select pg_catalog.split_part(entry, '=', 1) as name,
                   pg_catalog.substr(entry, pg_catalog.strpos(entry, '=') + 1) as value,
                   case when setrole <> 0 then 2 else 0 end + case when setdatabase <> 0 then 1 else 0 end as rank
              from pg_catalog.pg_db_role_setting, pg_catalog.unnest(setconfig) as entry
             where setdatabase in (
                       0, (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
                   )
               and setrole in (0, (select oid from pg_catalog.pg_roles where rolname = session_user))) as entries
     order by name, rank desc
)
select name || '=' || value as setting,
       case when not (name || '=' || value) = any ($1::text[]) and coalesce(
                (select source <> 'client'
                        and (context = 'user'
                             or context = 'superuser' and pg_catalog.has_parameter_privilege(given.name, 'SET'))
                   from pg_catalog.pg_settings
                  where pg_settings.name = given.name),
                pg_catalog.strpos(name, '.') > 0
            ) then pg_catalog.set_config(name, value, false) end as set
  from given

-- name: state
select pg_catalog.json_build_object(
    'version', (select max(version)::text from :"registry".releases),
    'projects', (select pg_catalog.json_object_agg(project, uri) from :"registry".projects),
    'changes', (
        select pg_catalog.json_agg(pg_catalog.json_build_object(
                   'id', change_id, 'name', change, 'project', project, 'script_hash', script_hash, 'note', note,
                   'committer_name', committer_name, 'committer_email', committer_email,
                   'committed_at', pg_catalog.to_char(committed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
               ) order by committed_at)
          from :"registry".changes
    ),
    'tags', (
        select pg_catalog.json_agg(pg_catalog.json_build_object(
                   'tag', tag, 'project', project, 'change_id', change_id,
                   'committed_at', pg_catalog.to_char(committed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
               ) order by committed_at, tag)
          from :"registry".tags
    ),
    'dependencies', (
        select pg_catalog.json_agg(pg_catalog.json_build_object('change_id', change_id, 'requires', dependency_id))
          from :"registry".dependencies
         where type = 'require'
    )
)::text as state

-- name: events
select event, project, change_id, change, note, pg_catalog.to_json(requires)::text as requires,
       pg_catalog.to_json(conflicts)::text as conflicts, pg_catalog.to_json(tags)::text as tags,
       committer_name, committer_email, planner_name, planner_email,
       pg_catalog.to_char(committed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as committed_at,
       pg_catalog.to_char(planned_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as planned_at
  from :"registry".events
 order by events.committed_at desc

-- name: release
insert into :"registry".releases (version, installed_at, installer_name, installer_email)
values (1.1, pg_catalog.clock_timestamp(), $1, $2)

-- name: project
insert into :"registry".projects (project, uri, creator_name, creator_email, created_at)
values ($1, $2, $3, $4, pg_catalog.clock_timestamp())

-- name: lock_changes
lock table :"registry".changes in exclusive mode

-- name: change
insert into :"registry".changes (
    change_id, script_hash, change, project, note, committer_name, committer_email, planned_at, planner_name,
    planner_email, committed_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, pg_catalog.clock_timestamp())

-- name: dependency
insert into :"registry".dependencies (change_id, type, dependency, dependency_id) values ($1, $2, $3, $4)

-- name: tag
insert into :"registry".tags (
    tag_id, tag, project, change_id, note, committer_name, committer_email, planned_at, planner_name, planner_email,
    committed_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, pg_catalog.clock_timestamp())

-- name: event
insert into :"registry".events (
    event, change_id, change, project, note, tags, requires, conflicts, committer_name, committer_email, planned_at,
    planner_name, planner_email, committed_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, pg_catalog.clock_timestamp())

-- name: revert_event
insert into :"registry".events (
    event, change_id, change, project, note, tags, requires, conflicts, committer_name, committer_email, planned_at,
    planner_name, planner_email, committed_at
)
select 'revert', change_id, change, project, $4,
       array(select tag from :"registry".tags where tags.change_id = changes.change_id),
       array(select dependency from :"registry".dependencies
              where dependencies.change_id = changes.change_id and type = 'require'),
       array(select dependency from :"registry".dependencies
              where dependencies.change_id = changes.change_id and type = 'conflict'),
       $2, $3, planned_at, planner_name, planner_email, pg_catalog.clock_timestamp()
  from :"registry".changes
 where change_id = $1

-- name: delete_tags
delete from :"registry".tags where change_id = $1

-- name: delete_change
delete from :"registry".changes where change_id = $1

-- name: delete_deploy_event
delete from :"registry".events
 where change_id = $1
   and event = 'deploy'
   and committed_at = (select max(committed_at) from :"registry".events where change_id = $1)
