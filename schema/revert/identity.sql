-- Revert schema:identity from pg

begin;

drop function app_private.admit_owner(regclass, boolean);
drop function app.seal_required();
drop function app.current_user_id();
drop function app.current_user_key();
drop function app.set_user_id(text, text);
drop table app_private.sealing;
drop function app_private.decide_sealing();
drop function app_private.verified_user_key();
drop function app_private.refuse_identity();
drop table app_private.seal_keys;

commit;
