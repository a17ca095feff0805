-- What one node of Citus lacks, a thing a row; asked on each of them by whoever owns its database.
with known (name, value) as (  -- as the next session has it: ALTER DATABASE says it to no session that is open
    select name, coalesce((select split_part(entry, '=', 2)
                             from pg_db_role_setting join pg_database on pg_database.oid = setdatabase, unnest(setconfig) as entry
                            where setrole = 0 and datname = current_database() and split_part(entry, '=', 1) = name),
                          current_setting(name, true))
      from unnest(array['track_activities', 'citus.propagate_set_commands', 'citus.max_intermediate_result_size', 'pg_stat_statements.track_utility']) as name
),
ours (oid) as (
    select oid from pg_namespace where nspname in ('app', 'app_fenced')
),
tables (oid, relname, shown) as (
    select pg_class.oid, relname, pg_class.oid::regclass from pg_class join ours on ours.oid = relnamespace where relkind in ('r', 'p')
),
policies (relation, name, said) as (
    select polrelid, polname, row(polcmd, polpermissive, array(select pg_get_userbyid(role) from unnest(polroles) as role order by 1),
                                  pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))::text
      from pg_policy
),
copies (oid, shown, original) as (  -- shards, and the tables that they are of
    select copy.oid, copy.shown, original.oid
      from tables as copy join tables as original on copy.relname ~ ('^' || original.relname || '_[0-9]{6,}$')
),
differing (shown, name) as (
    select shown, policies.name
      from copies join policies on relation = copies.oid
     where not exists (select from policies as theirs
                        where theirs.relation = original and theirs.name = policies.name and theirs.said = policies.said)
    union
    select shown, policies.name
      from copies join policies on relation = original
     where not exists (select from policies as own where own.relation = copies.oid and own.name = policies.name)
),
lacking (why) as (
    select 'statements can be read there, identities among them: track_activities is on'
      from known
     where name = 'track_activities' and value = 'on'
       and exists (select from pg_dist_node join pg_dist_local_group using (groupid) where shouldhaveshards)
    union all
    select 'identities do not reach other nodes from there: citus.propagate_set_commands is not "local"'
      from known where name = 'citus.propagate_set_commands' and value is distinct from 'local'
    union all
    select 'what statements keep in between can be read there: citus.max_intermediate_result_size is not 0'
      from known where name = 'citus.max_intermediate_result_size' and value is distinct from '0'
    union all
    select distinct format('COPY passes by the policies of %s there, which has no trigger "judge"', shown)
      from tables
      join pg_policy on polrelid = tables.oid and polcmd in ('a', '*') and coalesce(pg_get_expr(polwithcheck, polrelid), pg_get_expr(polqual, polrelid)) <> 'true'
     where tables.oid in (select oid from copies union select logicalrelid from pg_dist_partition join pg_dist_local_group on groupid = 0)
       and not exists (select from pg_trigger where tgrelid = tables.oid and tgfoid = to_regprocedure('app.judge()') and tgenabled in ('O', 'A'))
    union all
    select 'pg_stat_statements keeps identities there: pg_stat_statements.track_utility is on'
      from known
     where name = 'pg_stat_statements.track_utility' and value = 'on' and current_setting('server_version_num')::int < 180000
    union all
    select format('Citus is open there, without: %s', min(said)) || case when count(*) > 1 then format(' and %s more', count(*) - 1) else '' end
      from app_private.to_lock_down() as said
    having count(*) > 0
    union all
    select format('row-level security is not forced on %s there', string_agg(shown::text, ', ' order by shown::text))
      from tables join pg_class using (oid)
     where not (relrowsecurity and relforcerowsecurity)
    having count(*) > 0
    union all
    select format('the policy %s of %s is not its table''s there', name, shown) from differing
    union all
    select format('%s is spread by %I, where its policy %s looks for no owner: app_private.distribute(%L, its owner''s column)',
                  shown, key, name, shown)
      from pg_dist_partition
      join tables on oid = logicalrelid
      join policies on relation = logicalrelid,
           coalesce(column_to_column_name(logicalrelid, partkey), '') as key
     where (select groupid from pg_dist_local_group) = 0 and partmethod = 'h' and said ~ 'app_(user|gate)' and strpos(said, format('(%I = ', key)) = 0
)
select coalesce(json_agg(why order by why), '[]') from lacking
