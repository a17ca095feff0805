-- warning | app.todos | its owner sees none of its rows
create role an_owner;
grant usage, create on schema app to an_owner;
alter table app.todos owner to an_owner;

-- warning | app.todos | a policy lets its owner in for services as well
create role an_owner;
grant usage, create on schema app to an_owner;
alter table app.todos owner to an_owner;
create policy everything on app.todos to an_owner using (true);
