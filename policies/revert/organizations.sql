-- Revert policies:organizations from pg

begin;

-- Citus would log in to its workers as these roles, which nobody can.
set local citus.enable_ddl_propagation = off;
select app_private.become('app_roster');
set local role app_roster;
revoke execute on function app.colleagues(), app.my_invitations() from app_user;
reset role;
select app_private.become('app_roster', false);

set local role app_gate;
revoke execute on function app.current_organization_id(text[]) from app_user, app_roster;
revoke all on app.organization, app.memberships from app_user;
reset role;

revoke execute on function app.set_organization_id(text) from app_user;
revoke execute on function app.current_user_key(), app.current_user_id() from app_roster;
revoke usage on schema app from app_roster;

-- Revoking a privilege on a table revokes it on each of its columns as well.
revoke all on app.organizations, app.members, app.invitations from app_gate, app_roster, app_auth;
revoke all on app.users from app_roster;

drop policy select_roster on app.users;

drop policy delete_auth on app.invitations;
drop policy update_auth on app.invitations;
drop policy insert_auth on app.invitations;
drop policy select_auth on app.invitations;
drop policy select_roster on app.invitations;

drop policy delete_auth on app.organizations;
drop policy update_auth on app.organizations;
drop policy insert_auth on app.organizations;
drop policy select_auth on app.organizations;
drop policy update_roster on app.organizations;
drop policy select_roster on app.organizations;
drop policy select_own on app.organizations;

drop policy delete_auth on app.members;
drop policy update_auth on app.members;
drop policy insert_auth on app.members;
drop policy select_auth on app.members;
drop policy select_roster on app.members;
drop policy select_own on app.members;

select app_private.admit_owner('app.organizations', admitted => false);
select app_private.admit_owner('app.members', admitted => false);
select app_private.admit_owner('app.invitations', admitted => false);

commit;
