-- Verify distributed:shards on pg

begin;

select app_private.verify_function('distributed:shards', 'app.shard_key(text)', $$
    owned by the owner of the schema
    sql immutable security invoker {"search_path=pg_catalog, pg_temp"}
    body with md5 75a801aa9372bf8b1e06e7ee4a1f7ae9
$$);
select app_private.verify_execution('distributed:shards', 'app.shard_key(text)', 'app_user may execute');

set local search_path = pg_catalog, pg_temp;

-- What stands in the way of a table's protection there must be nobody's to call.
select app_private.verify('distributed:shards', 'what distributes tables', $$
    app_private.alter_policies(regclass,name) is its owner's alone
    app_private.comments() is its owner's alone
    app_private.distribute(regclass,name) is its owner's alone
    app_private.gather(regclass) is its owner's alone
    app_private.policy_on_shards(text,text,text) is its owner's alone
    app_private.read_own_copies(regprocedure,regclass[],boolean) is its owner's alone
    app_private.related(regclass) is its owner's alone
    app_private.restore(text) is its owner's alone
    app_private.undistributed is under row-level security
$$, exactly => true, actual => array(
    select format('%s is its owner''s alone', pg_proc.oid::regprocedure) from pg_proc
     where pronamespace = 'app_private'::regnamespace
       and proname = any ('{alter_policies,comments,distribute,gather,policy_on_shards,read_own_copies,related,restore}')
       and not exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) as item where item.grantee <> proowner)
    union all
    select format('%s is under row-level security', oid::regclass) from pg_class
     where oid = 'app_private.undistributed'::regclass and relrowsecurity and relacl is null
));

rollback;
