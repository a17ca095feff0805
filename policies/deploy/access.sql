-- Deploy policies:access to pg
-- requires: schema:app
-- requires: schema:identity
--
-- Who may enter schema app at all, and who may say whom they act for. app_fenced is app_gate's; nobody enters
-- app_private.

begin;

grant usage on schema app to app_user, app_auth, app_gate;
grant usage on schema app_fenced to app_gate;

grant execute on function app.set_user_id(text, text), app.current_user_key(), app.current_user_id() to app_user;
-- The policies on fenced tables bind app_gate, and ask whom it answers.
grant execute on function app.current_user_key(), app.current_user_id() to app_gate;
-- A service asks before it serves whether its seals are worth anything.
grant execute on function app.seal_required() to app_user, app_auth;

commit;
