-- Deploy §{policies}:§{table} to pg
§{requires_policies}-- requires: §{schema}:§{table}

begin;

create policy select_own on §{home}.§{table}
    for select to §{role}
    using (§{key} = (select §{me}));
comment on policy select_own on §{home}.§{table} is '§{selects}.';

create policy insert_own on §{home}.§{table}
    for insert to §{role}
    with check (§{key} = (select §{me}));
comment on policy insert_own on §{home}.§{table} is '§{inserts}.';

create policy update_own on §{home}.§{table}
    for update to §{role}
    using (§{key} = (select §{me}))
    with check (§{key} = (select §{me}));
comment on policy update_own on §{home}.§{table} is '§{updates}.';

create policy delete_own on §{home}.§{table}
    for delete to §{role}
    using (§{key} = (select §{me_deletes}));
comment on policy delete_own on §{home}.§{table} is '§{deletes}.';

-- Never table-wide, reading neither: that would open ctid and its kin. §{kept}.
grant select (§{every}),
      insert (id, §{written}),
      update (§{written}),
      delete
   on §{home}.§{table} to §{role};

select app_private.admit_owner('§{home}.§{table}');
§{fence_opened}
commit;
