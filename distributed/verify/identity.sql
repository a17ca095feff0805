-- Verify distributed:identity on pg
--
-- What an identity is worth is asked by schema:identity, here as on one node.

begin;

select app_private.verify_function('distributed:identity', 'app.set_user_id(text, text)', $$
    owned by the owner of the schema
    plpgsql volatile security invoker
    body with md5 95b57f9db2c0d91a8d57c201121e85ec
$$);

select app_private.verify_function('distributed:identity', 'app.judge()', $$
    owned by the owner of the schema
    plpgsql volatile security invoker {"search_path=pg_catalog, pg_temp"}
    body with md5 19363140541b2aff87c12b47faede876
$$);
select app_private.verify_execution('distributed:identity', 'app.judge()', '');
select app_private.verify_execution('distributed:identity', 'app_private.judge_rows(regclass)', '');
select app_private.verify_execution('distributed:identity', 'app_private.answer_by_function(regclass)', '');

set local search_path = pg_catalog, pg_temp;

select app_private.verify('distributed:identity', 'Citus', $$
    app_private.refuse_identity() reads this node's own copy of app_private.seal_keys
    app_private.seal_keys is whole on every node
    app_private.verified_user_key() reads this node's own copy of app_private.seal_keys
    citus.max_intermediate_result_size is 0
    citus.propagate_set_commands is local
$$, exactly => true, actual => array(
    select format('%s is whole on every node', logicalrelid) from pg_dist_partition where partmethod = 'n' and repmodel = 't' and logicalrelid::text like 'app_private.%'
    union all
    select format('%s reads this node''s own copy of %s', pg_proc.oid::regprocedure, logicalrelid)
      from pg_proc join pg_dist_shard on prosrc ~ format('[[:<:]]%s_%s[[:>:]]', replace(logicalrelid::text, '.', '[.]'), shardid)
     where pg_proc.oid = any ('{app_private.verified_user_key(), app_private.refuse_identity()}'::regprocedure[])
    union all
    select format('%s is %s', split_part(setting, '=', 1), split_part(setting, '=', 2))
      from pg_db_role_setting join pg_database on pg_database.oid = setdatabase, unnest(setconfig) as setting
     where datname = current_database() and setrole = 0 and setting ~ '^citus[.](propagate_set_commands|max_intermediate_result_size)='
));

rollback;
