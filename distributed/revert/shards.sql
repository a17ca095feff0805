-- Revert distributed:shards from pg

begin;

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

commit;
