-- Revert distributed:identity from pg

begin;

select app_private.read_own_copies(function, '{app_private.seal_keys}', own => false)
  from unnest('{app_private.verified_user_key(), app_private.refuse_identity()}'::regprocedure[]) as function;
update app_private.sealing set required = required;
select app_private.gather('app_private.seal_keys');
drop function app_private.answer_by_function(regclass);
drop function app_private.judge_rows(regclass);
drop function app.judge();
select app_private.restore('app_private.decide_sealing');
select app_private.restore('app_private.refuse_identity');
select app_private.restore('app_private.verified_user_key');
select app_private.restore('app.seal_required');
select app_private.restore('app.set_user_id');
set local citus.enable_ddl_propagation = off;
update app_private.sealing set required = required;
set local citus.enable_ddl_propagation = on;

do $$
begin
    execute format('alter database %I reset citus.propagate_set_commands', current_database());
    execute format('alter database %I reset citus.max_intermediate_result_size', current_database());
end
$$;

commit;
