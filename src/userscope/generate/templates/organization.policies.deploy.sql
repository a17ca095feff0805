-- Deploy §{policies}:§{table} to pg
-- requires: §{access}
-- requires: §{may_claim}
-- requires: §{schema}:§{table}

begin;

create policy select_own on §{home}.§{table}
    for select to §{role}
    using (organization_id = (select app.current_organization_id()));
comment on policy select_own on §{home}.§{table} is 'A member sees the §{many} of the organization that they act in.';

create policy insert_own on §{home}.§{table}
    for insert to §{role}
    with check (organization_id = (select app.current_organization_id()));
comment on policy insert_own on §{home}.§{table} is 'A member adds §{many} to the organization that they act in.';

create policy update_own on §{home}.§{table}
    for update to §{role}
    using (organization_id = (select app.current_organization_id()))
    with check (organization_id = (select app.current_organization_id()));
comment on policy update_own on §{home}.§{table} is 'A member edits the organization''s §{many}, and cannot move one to another.';

create policy delete_own on §{home}.§{table}
    for delete to §{role}
    using (organization_id = (select app.current_organization_id(§{by})));
comment on policy delete_own on §{home}.§{table} is '§{Whoever} deletes the organization''s §{many}.';

-- Never table-wide, reading neither: that would open ctid and its kin. organization_id and created_by are the database's.
grant select (§{every}),
      insert (id, §{written}),
      update (§{written}),
      delete
   on §{home}.§{table} to §{role};

select app_private.admit_owner('§{home}.§{table}');
§{fence_opened}
commit;
