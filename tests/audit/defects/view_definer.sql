-- error | app.all_todos | a view reads as its owner
create view app.all_todos as select * from app.todos;
grant select on app.all_todos to app_user;

-- error | app.all_todos | a view reads as its owner
create view app.all_todos with (security_invoker = false) as select id from app.todos;
grant select (id) on app.all_todos to public;
