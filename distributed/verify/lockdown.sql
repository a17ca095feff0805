-- Verify distributed:lockdown on pg

begin;

do $$
declare
    found text;
begin
    select string_agg(format('%s: %s', nodename, result), '; ') into found
      from pg_proc, run_command_on_all_nodes(format('select coalesce(string_agg(said, ''; ''), '''') from (%s) as asked (said)', prosrc))
      join pg_dist_node using (nodeid)
     where pg_proc.oid = 'app_private.to_lock_down()'::regprocedure and (not success or result <> '')
       and groupid <> (select groupid from pg_dist_local_group);
    -- Of this node it is asked in this transaction, which may just be locking it down.
    found := concat_ws('; ', found, (select 'here: ' || string_agg(said, '; ') from app_private.to_lock_down() as said));
    if found <> '' then
        raise exception 'a node is not locked down' using
            detail = left(found, 1000), hint = 'A superuser runs: userscope nodes.';
    end if;
end
$$;

rollback;
