-- Revert policies:better_auth from pg

begin;

revoke all on app.sessions, app.accounts, app.verifications, app.jwks from app_auth;

drop policy insert_auth on app.jwks;
drop policy select_auth on app.jwks;

drop policy delete_auth on app.verifications;
drop policy insert_auth on app.verifications;
drop policy select_auth on app.verifications;

drop policy delete_auth on app.accounts;
drop policy update_auth on app.accounts;
drop policy insert_auth on app.accounts;
drop policy select_auth on app.accounts;

drop policy delete_auth on app.sessions;
drop policy update_auth on app.sessions;
drop policy insert_auth on app.sessions;
drop policy select_auth on app.sessions;

select app_private.admit_owner('app.sessions', admitted => false);
select app_private.admit_owner('app.accounts', admitted => false);
select app_private.admit_owner('app.verifications', admitted => false);
select app_private.admit_owner('app.jwks', admitted => false);

commit;
