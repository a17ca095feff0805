-- Deploy distributed:organizations to pg
-- requires: tables
--
-- What answers for accounts and organizations reads each node's own copy, so that it answers inside a shard's policy as well;
-- and which organization a transaction acts in reaches the workers.

begin;

insert into app_private.undistributed
values ('app.set_organization_id', pg_get_functiondef('app.set_organization_id(text)'::regprocedure));
create or replace function app.set_organization_id(organization_id text) returns text
    language plpgsql volatile parallel unsafe security invoker
as $$
begin
    execute 'discard plans';
    execute pg_catalog.format('set local app.organization_id to %L', coalesce(organization_id, ''));
    return coalesce(organization_id, '');
end
$$;

select app_private.read_own_copies(function, '{app.users, app.organizations, app.members, app.invitations}')
  from unnest('{app.account(), app.organization(), app.memberships(), app_fenced.own_organizations(),
                app_fenced.keep_owner(), app.current_organization_id(text[]), app.colleagues(), app.my_invitations()}'
              ::regprocedure[]) as function;

-- The coordinator has these from policies:organizations, which cannot tell the workers: the owners cannot log in to them.
grant execute on function app.current_organization_id(text[]) to app_user, app_roster;
grant execute on function app.colleagues(), app.my_invitations() to app_user;
-- On a node that is added later Citus names, as app_roster, the function there that is app_roster's.
grant usage on schema app_fenced to app_roster;

commit;
