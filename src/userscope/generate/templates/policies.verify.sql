-- Verify §{policies}:§{table} on pg
--
-- Everything that app_user, app_auth, app_gate and PUBLIC may do here, and nothing beyond it. Roles of your own are not judged.

begin;

select app_private.verify_access('§{policies}:§{table}', '§{home}.§{table}', $$
    §{role} may delete
    §{role} may insert (id, §{written})
    §{role} may select (§{every})
    §{role} may update (§{written})
    permissive policy delete_own for delete to {§{role}} using (§{key} = ( SELECT §{me_deletes_seen}))
    permissive policy insert_own for insert to {§{role}} check (§{key} = ( SELECT §{me_seen}))
    permissive policy select_own for select to {§{role}} using (§{key} = ( SELECT §{me_seen}))
    permissive policy update_own for update to {§{role}} using (§{key} = ( SELECT §{me_seen}))
    permissive policy update_own for update to {§{role}} check (§{key} = ( SELECT §{me_seen}))
$$);
§{fence_open}
rollback;
