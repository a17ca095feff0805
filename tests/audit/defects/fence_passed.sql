-- error | app.names | a view goes past a fence
create view app.names as select name from app.users;
grant select on app.names to app_user;

-- error | elsewhere.two | a view goes past a fence
create schema elsewhere;
create view elsewhere.one with (security_invoker) as select email from app.users;
create view elsewhere.two as table elsewhere.one;
grant select (email) on elsewhere.two to public;

-- error | app.addresses | a view goes past a fence
create materialized view app.addresses as select email from app.users;
grant select on app.addresses to app_user;

-- error | app.behind | a view goes past a fence
create view app.behind as select id, name from app.users;
grant select on app.behind to app_gate;

-- error | function app.find(text) | a function goes past a fence
create function app.find(address text) returns uuid language sql stable security definer
    set search_path = pg_catalog, pg_temp return (select id from app.users where email = address);

-- error | function elsewhere.find(text) | a function goes past a fence
create schema elsewhere;
create function elsewhere.find(address text) returns boolean language plpgsql stable security definer
    set search_path = pg_catalog, pg_temp as $$ begin return exists (select from app.users where email = address); end $$;

-- error | function app.find(text) | a function goes past a fence
create view app.behind as select id, email from app.users;
create function app.find(address text) returns uuid language sql stable security definer
    set search_path = pg_catalog, pg_temp as 'select id from app.behind where email = address';
