-- error | rule leak on app.todos | a rule acts with its owner's rights
create table app.copies (title text);
create rule leak as on insert to app.todos do also insert into app.copies select title from app.todos;

-- error | rule leak on public.inbox | a rule acts with its owner's rights
create table public.inbox (id int);
grant insert (id) on public.inbox to app_user;
create rule leak as on insert to public.inbox do instead select title from app.todos;

-- error | rule leak on app.door | a rule acts with its owner's rights
create view app.door with (security_invoker = true) as select 1 as id;
grant delete on app.door to public;
create rule leak as on delete to app.door do instead delete from app.todos;

-- error | rule tells on app.todos | a rule acts with its owner's rights
create rule tells as on insert to app.todos where exists (select from app.todos as t where t.title = new.title) do instead nothing;
