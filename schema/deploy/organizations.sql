-- Deploy schema:organizations to pg
-- requires: identity
-- requires: users
-- requires: better_auth
--
-- Organizations, who is a member of them, and invitations: the tables of Better Auth's organization plugin (its models,
-- our names), without its teams. The identity provider keeps them. Services have no right on them, since an index of each
-- could be aimed at other people's rows: views and functions answer for the user of the transaction.
--
-- app.organization_id says which organization a transaction acts in. It needs no seal: it counts for members alone, and
-- who is one is looked up for each statement.

begin;

-- Owns what shows a member the others, and what keeps an owner in each organization. It sees all memberships, and of
-- people no more than how they are called: so it is nobody's to become, and app_gate stays bound to one user.
do $$
begin
    if to_regrole('app_roster') is null then
        create role app_roster nologin;
        comment on role app_roster is 'Owns what tells members of each other and of invitations; nobody''s to become.';
    end if;
exception
    when duplicate_object or unique_violation then null;
end
$$;

create table app.organizations (
    id         uuid        not null default gen_random_uuid() primary key,
    name       text        not null,
    slug       text        not null constraint organizations_slug_key unique
                           constraint organizations_slug_check check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and char_length(slug) <= 100),
    logo       text,
    metadata   text,
    created_at timestamptz not null default now()
);

create table app.members (
    id              uuid        not null default gen_random_uuid() primary key,
    organization_id uuid        not null constraint members_organization_id_fkey references app.organizations on delete cascade,
    user_id         uuid        not null constraint members_user_id_fkey references app.users on delete cascade,
    role            text        not null default 'member'
                                constraint members_role_check check (role ~ '^[A-Za-z0-9_-]+(,[A-Za-z0-9_-]+)*$' and char_length(role) <= 255),
    created_at      timestamptz not null default now(),
    constraint members_organization_id_user_id_key unique (organization_id, user_id)
);

create table app.invitations (
    id              uuid        not null default gen_random_uuid() primary key,
    organization_id uuid        not null constraint invitations_organization_id_fkey references app.organizations on delete cascade,
    email           text        not null constraint invitations_email_check check (email ~ '^[!-@[-~]+$' and char_length(email) <= 254),
    role            text        constraint invitations_role_check check (role ~ '^[A-Za-z0-9_-]+(,[A-Za-z0-9_-]+)*$' and char_length(role) <= 255),
    status          text        not null default 'pending'
                                constraint invitations_status_check check (status in ('pending', 'accepted', 'rejected', 'canceled')),
    expires_at      timestamptz not null,
    created_at      timestamptz not null default now(),
    inviter_id      uuid        not null constraint invitations_inviter_id_fkey references app.users on delete cascade
);

-- Closed until a policy opens them, to their owner as well.
alter table app.organizations enable row level security, force row level security;
alter table app.members enable row level security, force row level security;
alter table app.invitations enable row level security, force row level security;

-- EXPLAIN must not tell which values occur: it reads the statistics of rows that a policy hides. Said before the first
-- ANALYZE, since statistics that exist would stay.
alter table app.organizations
    alter id         set statistics 0,
    alter name       set statistics 0,
    alter slug       set statistics 0,
    alter logo       set statistics 0,
    alter metadata   set statistics 0,
    alter created_at set statistics 0;
alter table app.members
    alter organization_id set statistics 0,
    alter user_id         set statistics 0,
    alter role            set statistics 0,
    alter created_at      set statistics 0;

-- A browser forgets the organization that it was in when that goes. Sessions are few, and the scan of them is short:
alter table app.sessions
    -- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
    add constraint sessions_active_organization_id_fkey foreign key (active_organization_id)
        references app.organizations on delete set null;

-- An organization's members come by their key.
create index members_user_id_idx on app.members (user_id);
comment on index app.members_user_id_idx is 'A user''s organizations, and the cascade when the user goes.';
create index invitations_organization_id_idx on app.invitations (organization_id);
comment on index app.invitations_organization_id_idx is 'An organization''s invitations, and the cascade when it goes.';
create index invitations_email_idx on app.invitations (email);
comment on index app.invitations_email_idx is 'The invitations to an address.';
create index invitations_inviter_id_idx on app.invitations (inviter_id);
comment on index app.invitations_inviter_id_idx is 'The cascade when the inviter goes.';
-- In this transaction, so not concurrently:
-- squawk-ignore require-concurrent-index-creation
create index sessions_active_organization_id_idx on app.sessions (active_organization_id);
comment on index app.sessions_active_organization_id_idx is 'The browsers that are in an organization, when that goes.';

create function app.set_organization_id(organization_id text) returns text
    language sql volatile parallel unsafe security invoker
as $$ select pg_catalog.set_config('app.organization_id', coalesce(organization_id, ''), true) $$;

-- Bound by the policy on app.members, which shows app_gate the user's own memberships and no others. Roles are a list with
-- commas between them, as Better Auth writes one.
create function app.current_organization_id(variadic roles text[] default '{}') returns uuid
    language plpgsql stable parallel safe security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    claimed constant uuid := nullif(current_setting('app.organization_id', true), '');
    held    text;
begin
    if claimed is null then
        return null;
    end if;
    select members.role into held from app.members
     where members.organization_id = claimed and members.user_id = (select app.current_user_id());
    if not found then
        raise exception 'not a member of this organization' using
            errcode = '42501',
            schema = 'app', table = 'members', constraint = 'members_only',
            detail = 'There is no such organization, or the user is not a member of it, or not any more.';
    elsif roles = '{}' or string_to_array(held, ',') && roles then
        return claimed;
    end if;
    return null;
end
$$;

-- The barrier keeps estimates from the table's statistics, offset 0 every condition of the reader's from its rows.
create view app.organization with (security_barrier) as
    select id, name, slug, logo, metadata, created_at
      from app.organizations
     where id = (select app.current_organization_id())
    offset 0;

create view app.memberships with (security_barrier) as
    select members.organization_id, organizations.name, organizations.slug, organizations.logo, members.role, members.created_at
      from app.members join app.organizations on organizations.id = members.organization_id
    offset 0;

-- Each member's name is looked up for itself, as in app.my_invitations(). Both bodies are texts: Citus drops functions that
-- hang on a table.
create function app.colleagues() returns table (user_id uuid, name text, image text, role text, created_at timestamptz)
    language sql stable parallel safe security definer
    set search_path = pg_catalog, pg_temp
as $$
    select members.user_id, users.name, users.image, members.role, members.created_at
      from app.members,
           lateral (select name, image from app.users where id = members.user_id offset 0) as users
     where members.organization_id = (select app.current_organization_id());
$$;

-- The address is one value, and what belongs to an invitation is looked up for each: a join that goes through everybody's in
-- order could be counted, and would tell how many sort before one's own.
create function app.my_invitations()
    returns table (id uuid, organization_id uuid, name text, slug text, role text, inviter text, expires_at timestamptz)
    language sql stable parallel safe security definer
    set search_path = pg_catalog, pg_temp
as $$
    select invitations.id, organizations.id, organizations.name, organizations.slug, invitations.role, inviters.name, invitations.expires_at
      from app.invitations,
           lateral (select id, name, slug from app.organizations where id = invitations.organization_id offset 0) as organizations,
           lateral (select name from app.users where id = invitations.inviter_id offset 0) as inviters
     where invitations.email = (select email from app.users where id = (select app.current_user_id()) and email_verified)
       and invitations.status = 'pending' and invitations.expires_at > now();
$$;

-- At the commit, when all of a transaction is done: an organization that goes needs no owner, and an owner whose account
-- was deleted is missed by nobody's leave. Two owners who leave at once meet in the organization's row.
create function app_fenced.keep_owner() returns trigger
    language plpgsql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from app.users where id = old.user_id) then
        return null;
    end if;
    update app.organizations set name = name where id = old.organization_id;
    if found and not exists (
        select from app.members where organization_id = old.organization_id and 'owner' = any (string_to_array(role, ','))
    ) then
        raise exception 'an organization has at least one owner' using
            errcode = '23514', schema = 'app', table = 'members', constraint = 'members_owner';
    end if;
    return null;
end
$$;

create constraint trigger members_owner after update or delete on app.members deferrable initially deferred
    for each row when ('owner' = any (string_to_array(old.role, ','))) execute function app_fenced.keep_owner();

revoke all on function app.set_organization_id(text), app.current_organization_id(text[]), app.colleagues(),
    app.my_invitations(), app_fenced.keep_owner() from public;

comment on function app.set_organization_id(text) is
    'Acts in this organization until the transaction ends, for a member of it. Pass it as a bound parameter.';
comment on function app.current_organization_id(text[]) is
    'The organization that this transaction acts in, or null; with roles null where the member has none of them. Raises 42501 for who is no member.';
comment on function app.colleagues() is 'Who belongs to the organization that this transaction acts in.';
comment on function app.my_invitations() is
    'Invitations to the user''s own address that can be accepted: once it was verified, while they are pending and not expired.';
comment on function app_fenced.keep_owner() is 'Trigger: raises 23514 where an organization would be left without an owner.';
comment on view app.organization is 'The organization that this transaction acts in: fenced.';
comment on view app.memberships is 'The organizations that the user is a member of, and as what: fenced.';
comment on table app.organizations is 'A team, workspace or tenant. Everything that belongs to it goes when it goes.';
comment on column app.organizations.slug is 'Its name in an address, in lower case.';
comment on column app.organizations.metadata is 'What an application keeps with it, as JSON.';
comment on table app.members is 'Who belongs to an organization, and as what.';
comment on column app.members.role is 'owner, admin, member or roles of your own, with commas between them.';
comment on table app.invitations is 'An invitation of an e-mail address to an organization.';
comment on column app.invitations.email is 'Whom it is for, in lower case: whoever has shown that the address is theirs.';
comment on column app.invitations.status is 'pending, accepted, rejected or canceled.';
comment on constraint organizations_pkey on app.organizations is 'There is already an organization with this id.';
comment on constraint organizations_slug_key on app.organizations is 'This slug is already taken.';
comment on constraint organizations_slug_check on app.organizations is
    'A slug has 1 to 100 of a to z and 0 to 9, in groups with a hyphen between them.';
comment on constraint members_pkey on app.members is 'There is already a membership with this id.';
comment on constraint members_organization_id_fkey on app.members is 'The organization does not exist.';
comment on constraint members_user_id_fkey on app.members is 'The user of this membership does not exist.';
comment on constraint members_organization_id_user_id_key on app.members is 'This user is a member already.';
comment on constraint members_role_check on app.members is
    'Roles are letters, digits, - and _, with commas between them and at most 255 characters in all.';
comment on constraint members_owner on app.members is 'An organization has at least one owner: make somebody else one first.';
comment on constraint invitations_pkey on app.invitations is 'There is already an invitation with this id.';
comment on constraint invitations_organization_id_fkey on app.invitations is 'The organization does not exist.';
comment on constraint invitations_inviter_id_fkey on app.invitations is 'The user who invites does not exist.';
comment on constraint invitations_email_check on app.invitations is
    'An e-mail address is in lower case, has no blanks and at most 254 characters, all of them ASCII.';
comment on constraint invitations_role_check on app.invitations is
    'Roles are letters, digits, - and _, with commas between them and at most 255 characters in all.';
comment on constraint invitations_status_check on app.invitations is
    'An invitation is pending, accepted, rejected or canceled.';
comment on constraint sessions_active_organization_id_fkey on app.sessions is 'The organization does not exist.';
comment on trigger members_owner on app.members is 'Keeps an owner in each organization, judged at the commit.';

create function app_private.verify_reach(change text, service name, wanted text, copies boolean) returns void
    language plpgsql stable parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
begin
    perform app_private.verify(change, service::text, wanted, exactly => true, actual => array(
        select format('%s on %s', lower(privilege_type), pg_namespace.oid::regnamespace)
          from pg_namespace, aclexplode(nspacl) where pg_get_userbyid(grantee) = service
        union all
        select format('execute on %s', pg_proc.oid::regprocedure)
          from pg_proc, aclexplode(proacl) where pg_get_userbyid(grantee) = service and proowner <> grantee
        union all
        select format('%s on %s%s', lower(privilege_type), oid::regclass, ' (' || string_agg(attname, ', ' order by attnum) || ')')
          from (select pg_class.oid, item.*, null as attname, null as attnum from pg_class, aclexplode(relacl) as item
                union all
                select attrelid, item.*, attname, attnum from pg_attribute, aclexplode(attacl) as item) as grants
         where pg_get_userbyid(grantee) = service and not (copies and oid::regclass::text ~ '_[0-9]+$')
         group by oid, privilege_type, attname is null
        union all
        select format('policy %s on %s for %s %s', polname, polrelid::regclass,
                      case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
                      concat_ws(' ', 'using ' || pg_get_expr(polqual, polrelid), 'check ' || pg_get_expr(polwithcheck, polrelid)))
          from pg_policy where to_regrole(service::text) = any (polroles) and not (copies and polrelid::regclass::text ~ '_[0-9]+$')
    ));
end
$$;
comment on function app_private.verify_reach(text, name, text, boolean) is
    'Raises what a role may do anywhere beyond what is wanted, and what it may not; "copies" leaves out shards of Citus.';
revoke all on function app_private.verify_reach(text, name, text, boolean) from public;

-- To the roles that policies bind. They may make nothing else in the schemas.
select app_private.become('app_roster');
grant create on schema app, app_fenced to app_gate;
alter function app.current_organization_id(text[]) owner to app_gate;
alter view app.organization owner to app_gate;
alter view app.memberships owner to app_gate;
revoke create on schema app, app_fenced from app_gate;
grant create on schema app, app_fenced to app_roster;
alter function app.colleagues() owner to app_roster;
alter function app.my_invitations() owner to app_roster;
alter function app_fenced.keep_owner() owner to app_roster;
revoke create on schema app, app_fenced from app_roster;
select app_private.become('app_roster', false);

commit;
