-- Revert distributed:tables from pg

begin;

select app_private.gather('app.users');

revoke insert (id) on app.sessions, app.accounts, app.organizations, app.members, app.invitations from app_auth;
revoke insert (owner_id, created_at, updated_at) on app.todos from app_user;
drop trigger touch on app.users;
create trigger touch before update on app.users for each row execute function app.touch();
comment on trigger touch on app.users is 'Keeps updated_at.';
drop function app.touch_alike();
drop trigger stamp on app.todos;
drop function app.stamp();

select app_private.restore('app.memberships');
select app_private.restore('app.organization');
select app_private.restore('app.account');
drop function app_fenced.own_organizations();

commit;
