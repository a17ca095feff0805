-- Deploy policies:todos to pg
-- requires: access
-- requires: schema:todos
--
-- A user does everything with their own todos and nothing with another's. The identity provider has no policy and no
-- grant here: it deletes todos only through the user they belong to.

begin;

create policy select_own on app.todos
    for select to app_user
    using (owner_id = (select app.current_user_id()));
comment on policy select_own on app.todos is 'A user sees their own todos.';

create policy insert_own on app.todos
    for insert to app_user
    with check (owner_id = (select app.current_user_id()));
comment on policy insert_own on app.todos is 'A user adds todos in their own name.';

create policy update_own on app.todos
    for update to app_user
    using (owner_id = (select app.current_user_id()))
    with check (owner_id = (select app.current_user_id()));
comment on policy update_own on app.todos is 'A user edits their own todos, and cannot give one away.';

create policy delete_own on app.todos
    for delete to app_user
    using (owner_id = (select app.current_user_id()));
comment on policy delete_own on app.todos is 'A user deletes their own todos.';

-- Column by column, reading too: table-wide SELECT would open ctid and its kin to probing. owner_id and the timestamps
-- are the database's to set.
grant select (owner_id, id, title, description, completed, due_at, created_at, updated_at),
      insert (id, title, description, completed, due_at),
      update (title, description, completed, due_at),
      delete
   on app.todos to app_user;

select app_private.admit_owner('app.todos');

commit;
