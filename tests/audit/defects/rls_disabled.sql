-- error | app.todos | row-level security is off
alter table app.todos disable row level security;

-- warning | app.extra | row-level security is off
create table app.extra (id int);

-- error | app.extra | row-level security is off
create table app.extra (id int);
grant select (id) on app.extra to public;

-- error | app.alembic_version | row-level security is off
create table app.alembic_version (version_num text);
grant select on app.alembic_version to app_user;
