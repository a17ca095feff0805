-- error | app.todos | a privilege can be passed on
grant select (id) on app.todos to app_user with grant option;

-- error | app.users | a privilege can be passed on
grant delete on app.users to app_auth with grant option;
