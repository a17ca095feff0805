-- Revert distributed:organizations from pg

begin;

revoke usage on schema app_fenced from app_roster;
select app_private.read_own_copies(function, '{app.users, app.organizations, app.members, app.invitations}', own => false)
  from unnest('{app.account(), app.organization(), app.memberships(), app_fenced.own_organizations(),
                app_fenced.keep_owner(), app.current_organization_id(text[]), app.colleagues(), app.my_invitations()}'
              ::regprocedure[]) as function;
select app_private.restore('app.set_organization_id');

commit;
