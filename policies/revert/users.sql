-- Revert policies:users from pg

begin;

set local role app_gate;
revoke all on app.account from app_user;
reset role;

-- Revoking a privilege on a table revokes it on each of its columns as well.
revoke all on app.users from app_gate, app_auth;

drop policy delete_auth on app.users;
drop policy update_auth on app.users;
drop policy insert_auth on app.users;
drop policy select_auth on app.users;
drop policy update_own on app.users;
drop policy select_own on app.users;

select app_private.admit_owner('app.users', admitted => false);

commit;
