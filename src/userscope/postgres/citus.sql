-- Whether Citus may spread this database over several nodes, and whether this node is a worker. What Citus says of that is
-- closed to services; what migrations say of seals is in a table of the coordinator's, beside functions that are on all nodes.
select distributed,
       distributed
           and exists (select from pg_proc where pronamespace = to_regnamespace('app') and proname = 'set_user_id')
           and not exists (select from pg_class where relnamespace = to_regnamespace('app_private') and relname = 'sealing')
           as worker
  from (select exists (select from pg_extension where extname = 'citus')) as known (distributed)
