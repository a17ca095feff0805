-- warning | app.todos | a granted command reaches no row
drop policy delete_own on app.todos;

-- warning | app.users | a granted command reaches no row
grant insert (name) on app.users to app_user;
