-- error | app.m | a materialized view is open to a service
create materialized view app.m as select * from app.todos;
grant select on app.m to app_user;

-- warning | app.s | a sequence is open to a service
create sequence app.s;
grant usage on sequence app.s to app_user;

-- error | app.f | a foreign table is open to a service
create foreign data wrapper w;
create server s foreign data wrapper w;
create foreign table app.f (id int) server s;
grant select (id) on app.f to public;
