-- Revert distributed:lockdown from pg
--
-- What was closed of Citus stays closed: nothing of ours needs it open, and what else does is for its owner to say.

begin;

do $$
declare
    failed text;
begin
    select string_agg(result, '; ') into failed from run_command_on_workers($node$
        do $say$
        begin
            perform set_config('citus.enable_ddl_propagation', 'off', true);
            execute 'alter role app_gate nologin';
        end
        $say$ $node$) where not success;
    if failed is not null then
        raise exception 'a worker could not be reverted' using detail = failed;
    end if;
end
$$;

drop function app_private.lock_down_node();
drop function app_private.to_lock_down();

commit;
