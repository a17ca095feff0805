-- Revert policies:access from pg

begin;

revoke execute on function app.seal_required() from app_user, app_auth;
revoke execute on function app.current_user_key(), app.current_user_id() from app_gate;
revoke execute on function app.set_user_id(text, text), app.current_user_key(), app.current_user_id() from app_user;
revoke usage on schema app_fenced from app_gate;
revoke usage on schema app from app_user, app_auth, app_gate;

commit;
