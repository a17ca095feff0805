-- Deploy policies:access to pg
-- requires: schema:app
-- requires: schema:identity
--
-- Who may enter schema app at all, and who may say whom they act for. Nobody enters app_private.

begin;

grant usage on schema app to app_user, app_auth;

grant execute on function app.set_user_id(text, text), app.current_user_id() to app_user;
-- A service asks before it serves whether its seals are worth anything.
grant execute on function app.seal_required() to app_user, app_auth;

commit;
