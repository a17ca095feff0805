-- Deploy §{policies}:§{table} to pg
-- requires: §{access}
-- requires: §{schema}:§{table}

begin;

create policy select_own on app.§{table}
    for select to app_user
    using (owner_id = (select app.current_user_id()));
comment on policy select_own on app.§{table} is 'A user sees their own §{many}.';

create policy insert_own on app.§{table}
    for insert to app_user
    with check (owner_id = (select app.current_user_id()));
comment on policy insert_own on app.§{table} is 'A user adds §{many} in their own name.';

create policy update_own on app.§{table}
    for update to app_user
    using (owner_id = (select app.current_user_id()))
    with check (owner_id = (select app.current_user_id()));
comment on policy update_own on app.§{table} is 'A user edits their own §{many}, and cannot give one away.';

create policy delete_own on app.§{table}
    for delete to app_user
    using (owner_id = (select app.current_user_id()));
comment on policy delete_own on app.§{table} is 'A user deletes their own §{many}.';

-- Never table-wide, reading neither: that would open ctid and its kin. owner_id is the database's to set.
grant select (§{every}),
      insert (id, §{written}),
      update (§{written}),
      delete
   on app.§{table} to app_user;

commit;
