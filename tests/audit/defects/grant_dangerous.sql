-- error | app.todos | a privilege that no policy judges
grant truncate on app.todos to app_user;

-- error | app.todos | a privilege that no policy judges
grant truncate on app.todos to app_auth;

-- error | app.todos | a privilege that no policy judges
grant truncate on app.todos to public;

-- error | app.todos | a privilege that no policy judges
grant references on app.todos to app_user;

-- error | app.todos | a privilege that no policy judges
grant references on app.todos to app_auth;

-- error | app.todos | a privilege that no policy judges
grant references on app.todos to public;

-- error | app.todos | a privilege that no policy judges
grant references (id) on app.todos to app_user;

-- error | app.todos | a privilege that no policy judges
grant references (id) on app.todos to app_auth;

-- error | app.todos | a privilege that no policy judges
grant references (id) on app.todos to public;

-- error | app.todos | a privilege that no policy judges
grant trigger on app.todos to app_user;

-- error | app.todos | a privilege that no policy judges
grant trigger on app.todos to app_auth;

-- error | app.todos | a privilege that no policy judges
grant trigger on app.todos to public;

-- error | app.users | a privilege that no policy judges
grant truncate on app.users to app_gate;
