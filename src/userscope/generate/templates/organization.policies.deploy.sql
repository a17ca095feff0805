-- Deploy §{policies}:§{table} to pg
-- requires: §{access}
-- requires: §{may_claim}
-- requires: §{schema}:§{table}

begin;

create policy select_own on app.§{table}
    for select to app_user
    using (organization_id = (select app.current_organization_id()));
comment on policy select_own on app.§{table} is 'A member sees the §{many} of the organization that they act in.';

create policy insert_own on app.§{table}
    for insert to app_user
    with check (organization_id = (select app.current_organization_id()));
comment on policy insert_own on app.§{table} is 'A member adds §{many} to the organization that they act in.';

create policy update_own on app.§{table}
    for update to app_user
    using (organization_id = (select app.current_organization_id()))
    with check (organization_id = (select app.current_organization_id()));
comment on policy update_own on app.§{table} is 'A member edits the organization''s §{many}, and cannot move one to another.';

create policy delete_own on app.§{table}
    for delete to app_user
    using (organization_id = (select app.current_organization_id(§{by})));
comment on policy delete_own on app.§{table} is '§{Whoever} deletes the organization''s §{many}.';

-- Never table-wide, reading neither: that would open ctid and its kin. organization_id and created_by are the database's.
grant select (§{every}),
      insert (id, §{written}),
      update (§{written}),
      delete
   on app.§{table} to app_user;

select app_private.admit_owner('app.§{table}');

commit;
