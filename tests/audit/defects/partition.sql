-- error | app.part_1 | a partition or child is open by its own name
create table app.parts (id int) partition by list (id);
create table app.part_1 partition of app.parts for values in (1);
grant select (id) on app.part_1 to app_user;

-- error | other.child | a partition or child is open by its own name
create schema other;
create table other.child () inherits (app.todos);
grant delete on other.child to public;
