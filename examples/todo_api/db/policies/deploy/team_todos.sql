-- Deploy example_policies:team_todos to pg
-- requires: policies:access
-- requires: policies:organizations
-- requires: example_schema:team_todos

begin;

create policy select_own on app.team_todos
    for select to app_user
    using (organization_id = (select app.current_organization_id()));
comment on policy select_own on app.team_todos is 'A member sees the team todos of the organization that they act in.';

create policy insert_own on app.team_todos
    for insert to app_user
    with check (organization_id = (select app.current_organization_id()));
comment on policy insert_own on app.team_todos is 'A member adds team todos to the organization that they act in.';

create policy update_own on app.team_todos
    for update to app_user
    using (organization_id = (select app.current_organization_id()))
    with check (organization_id = (select app.current_organization_id()));
comment on policy update_own on app.team_todos is 'A member edits the organization''s team todos, and cannot move one to another.';

create policy delete_own on app.team_todos
    for delete to app_user
    using (organization_id = (select app.current_organization_id()));
comment on policy delete_own on app.team_todos is 'A member deletes the organization''s team todos.';

-- Never table-wide, reading neither: that would open ctid and its kin. organization_id and created_by are the database's.
grant select (organization_id, id, title, completed, created_by, created_at, updated_at),
      insert (id, title, completed),
      update (title, completed),
      delete
   on app.team_todos to app_user;

select app_private.admit_owner('app.team_todos');

commit;
