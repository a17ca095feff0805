-- Revert distributed:identity from pg

begin;

select app_private.read_own_copies(function, '{app_private.seal_keys}', own => false)
  from unnest('{app_private.verified_user_key(), app_private.refuse_identity()}'::regprocedure[]) as function;
update app_private.sealing set required = required;
select app_private.gather('app_private.seal_keys');
select app_private.restore('app_private.refuse_identity');
select app_private.restore('app_private.verified_user_key');
select app_private.restore('app.seal_required');
select app_private.restore('app.set_user_id');
set local citus.enable_ddl_propagation = off;
update app_private.sealing set required = required;
set local citus.enable_ddl_propagation = on;

drop function app_private.answer_by_function(regclass);
drop function app_private.read_own_copies(regprocedure, regclass[], boolean);
drop function app_private.restore(text);
drop function app_private.gather(regclass);
drop function app_private.distribute(regclass, name);
drop function app_private.alter_policies(regclass, name);
drop function app_private.policy_on_shards(text, text, text);
drop function app_private.related(regclass);
drop function app_private.comments();
drop function app.shard_key(text);
drop table app_private.undistributed;

do $$
begin
    execute format('alter database %I reset citus.propagate_set_commands', current_database());
end
$$;

commit;
