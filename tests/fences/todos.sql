-- A fenced twin of todos: what the two projects of an adopter would hold, in one script. Services use app.fenced_todos;
-- app.todos stays as the superuser's looking glass, so that the tests of todos can run on the twin.

begin;

-- schema/: the table is app_gate's business alone, and a view answers.
alter table app.todos set schema app_fenced;

create view app.fenced_todos with (security_barrier) as
    select owner_id, id, title, description, completed, due_at, created_at, updated_at
      from app_fenced.todos
    offset 0;
alter view app.fenced_todos alter id set default gen_random_uuid(), alter completed set default false;

-- app_fenced.write_todos() is put here: tests/search/fence.sql has it, for a table of the same columns.
revoke all on function app_fenced.write_todos() from public;
create trigger write instead of insert or update or delete on app.fenced_todos
    for each row execute function app_fenced.write_todos();

grant create on schema app, app_fenced to app_gate;
alter view app.fenced_todos owner to app_gate;
alter function app_fenced.write_todos() owner to app_gate;
revoke create on schema app, app_fenced from app_gate;

-- policies/: the same four, to app_gate; the columns' grants on the view, as its owner.
revoke all on app_fenced.todos from app_user;
alter policy select_own on app_fenced.todos to app_gate;
alter policy insert_own on app_fenced.todos to app_gate;
alter policy update_own on app_fenced.todos to app_gate;
alter policy delete_own on app_fenced.todos to app_gate;
grant select (owner_id, id, title, description, completed, due_at, created_at, updated_at),
      insert (id, title, description, completed, due_at),
      update (title, description, completed, due_at),
      delete
   on app_fenced.todos to app_gate;

set local role app_gate;
grant select (owner_id, id, title, description, completed, due_at, created_at, updated_at),
      insert (id, title, description, completed, due_at),
      update (title, description, completed, due_at),
      delete
   on app.fenced_todos to app_user;
reset role;

create view app.todos as table app_fenced.todos;

commit;
