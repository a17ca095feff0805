-- warning | app.todos | a whole table is granted
grant select on app.todos to app_user;

-- warning | app.todos | a whole table is granted
grant insert on app.todos to app_user;

-- warning | app.todos | a whole table is granted
grant update on app.todos to app_user;
