-- error | function app.current_user_key() | a definer function has no pinned search_path
alter function app.current_user_key() reset search_path;

-- error | function app.seal_required() | a definer function has no pinned search_path
alter function app.seal_required() set search_path = pg_catalog;

-- error | function app.seal_required() | a definer function has no pinned search_path
alter function app.seal_required() set search_path = pg_temp, app;
