-- Deploy policies:organizations to pg
-- requires: access
-- requires: users
-- requires: better_auth
-- requires: schema:organizations
--
-- A user sees their own memberships and those organizations: through views and a function, whose owner these policies
-- bind. The identity provider keeps all of it. app_roster sees what it shows to members, column by column.

begin;

create policy select_own on app.members
    for select to app_gate
    using (user_id = (select app.current_user_id()));
comment on policy select_own on app.members is 'A user sees their own memberships.';

create policy select_roster on app.members for select to app_roster using (true);
comment on policy select_roster on app.members is 'What shows members each other sees all, and shows one organization''s.';

create policy select_auth on app.members for select to app_auth using (true);
comment on policy select_auth on app.members is 'The identity provider sees memberships.';

create policy insert_auth on app.members for insert to app_auth with check (true);
comment on policy insert_auth on app.members is 'The identity provider makes members.';

create policy update_auth on app.members for update to app_auth using (true) with check (true);
comment on policy update_auth on app.members is 'The identity provider changes roles.';

create policy delete_auth on app.members for delete to app_auth using (true);
comment on policy delete_auth on app.members is 'The identity provider removes members.';

create policy select_own on app.organizations
    for select to app_gate
    using (id = any (array(select members.organization_id from app.members
                            where members.user_id = (select app.current_user_id()))));
comment on policy select_own on app.organizations is 'A user sees the organizations that they are a member of.';

create policy select_roster on app.organizations for select to app_roster using (true);
comment on policy select_roster on app.organizations is 'What shows invitations sees which organization they are to.';

create policy update_roster on app.organizations for update to app_roster using (true) with check (true);
comment on policy update_roster on app.organizations is 'What keeps an owner in an organization lets owners who leave wait for each other.';

create policy select_auth on app.organizations for select to app_auth using (true);
comment on policy select_auth on app.organizations is 'The identity provider sees organizations.';

create policy insert_auth on app.organizations for insert to app_auth with check (true);
comment on policy insert_auth on app.organizations is 'The identity provider makes organizations.';

create policy update_auth on app.organizations for update to app_auth using (true) with check (true);
comment on policy update_auth on app.organizations is 'The identity provider renames organizations.';

create policy delete_auth on app.organizations for delete to app_auth using (true);
comment on policy delete_auth on app.organizations is 'The identity provider deletes organizations; what they own goes along.';

create policy select_roster on app.invitations for select to app_roster using (true);
comment on policy select_roster on app.invitations is 'What shows invitations sees all, and shows those to one''s own address.';

create policy select_auth on app.invitations for select to app_auth using (true);
comment on policy select_auth on app.invitations is 'The identity provider sees invitations.';

create policy insert_auth on app.invitations for insert to app_auth with check (true);
comment on policy insert_auth on app.invitations is 'The identity provider invites.';

create policy update_auth on app.invitations for update to app_auth using (true) with check (true);
comment on policy update_auth on app.invitations is 'The identity provider notes what became of an invitation.';

create policy delete_auth on app.invitations for delete to app_auth using (true);
comment on policy delete_auth on app.invitations is 'The identity provider removes invitations.';

create policy select_roster on app.users for select to app_roster using (true);
comment on policy select_roster on app.users is 'What shows members each other sees how they are called.';

-- Column by column, reading too: table-wide SELECT would open ctid and its kin to probing.
grant select (organization_id, user_id, role, created_at) on app.members to app_gate, app_roster;
grant select (id, name, slug, logo, metadata, created_at) on app.organizations to app_gate;
grant select (id, name, slug), update (name) on app.organizations to app_roster;
grant select (id, organization_id, email, role, status, expires_at, inviter_id) on app.invitations to app_roster;
grant select (id, name, email, email_verified, image) on app.users to app_roster;

-- What the code of its plugin (Better Auth 1.7) asks for: whole rows are selected and returned, and no id is chosen.
grant select (id, name, slug, logo, metadata, created_at),
      insert (name, slug, logo, metadata, created_at),
      update (name, slug, logo, metadata),
      delete
   on app.organizations to app_auth;
grant select (id, organization_id, user_id, role, created_at),
      insert (organization_id, user_id, role, created_at),
      update (role),
      delete
   on app.members to app_auth;
grant select (id, organization_id, email, role, status, expires_at, created_at, inviter_id),
      insert (organization_id, email, role, status, expires_at, created_at, inviter_id),
      update (status, expires_at),
      delete
   on app.invitations to app_auth;

grant usage on schema app to app_roster;
grant execute on function app.current_user_key(), app.current_user_id() to app_roster;
grant execute on function app.set_organization_id(text) to app_user;

-- The owner of a view or a function alone grants rights on it. Citus would log in to its workers as that role, which
-- nobody can: there distributed:organizations says it.
set local citus.enable_ddl_propagation = off;
set local role app_gate;
grant select (id, name, slug, logo, metadata, created_at) on app.organization to app_user;
grant select (organization_id, name, slug, logo, role, created_at) on app.memberships to app_user;
grant execute on function app.current_organization_id(text[]) to app_user, app_roster;
reset role;

select app_private.become('app_roster');
set local role app_roster;
grant execute on function app.colleagues(), app.my_invitations() to app_user;
reset role;
select app_private.become('app_roster', false);

select app_private.admit_owner('app.organizations');
select app_private.admit_owner('app.members');
select app_private.admit_owner('app.invitations');

commit;
