-- Revert schema:organizations from pg
--
-- The role stays: it belongs to the whole server.

begin;

drop function app_private.verify_reach(text, name, text, boolean);
drop index app.sessions_active_organization_id_idx;
alter table app.sessions drop constraint sessions_active_organization_id_fkey;
drop view app.memberships;
drop view app.organization;
drop function app.my_invitations();
drop function app.colleagues();
drop table app.invitations;
drop table app.members;
drop table app.organizations;
drop function app_fenced.keep_owner();
drop function app.current_organization_id(text[]);
drop function app.set_organization_id(text);

commit;
