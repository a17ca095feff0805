-- Deploy §{policies}:§{table} to pg
-- requires: §{access}
-- requires: §{schema}:§{table}

begin;

create policy select_own on §{home}.§{table}
    for select to §{role}
    using (owner_id = (select §{me}));
comment on policy select_own on §{home}.§{table} is 'A user sees their own §{many}.';

create policy insert_own on §{home}.§{table}
    for insert to §{role}
    with check (owner_id = (select §{me}));
comment on policy insert_own on §{home}.§{table} is 'A user adds §{many} in their own name.';

create policy update_own on §{home}.§{table}
    for update to §{role}
    using (owner_id = (select §{me}))
    with check (owner_id = (select §{me}));
comment on policy update_own on §{home}.§{table} is 'A user edits their own §{many}, and cannot give one away.';

create policy delete_own on §{home}.§{table}
    for delete to §{role}
    using (owner_id = (select §{me}));
comment on policy delete_own on §{home}.§{table} is 'A user deletes their own §{many}.';

-- Never table-wide, reading neither: that would open ctid and its kin. owner_id is the database's to set.
grant select (§{every}),
      insert (id, §{written}),
      update (§{written}),
      delete
   on §{home}.§{table} to §{role};

select app_private.admit_owner('§{home}.§{table}');
§{fence_opened}
commit;
