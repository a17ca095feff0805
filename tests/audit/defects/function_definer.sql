-- error | function app.all_titles() | a service can run a function with its owner's rights
create function app.all_titles() returns setof text language sql stable security definer set search_path = pg_catalog, pg_temp begin atomic select title from app.todos; end;
