-- warning | app.todos | nothing is granted on a later column
alter table app.todos add priority int;

-- warning | app.users | nothing is granted on a later column
alter table app.users add phone text;
