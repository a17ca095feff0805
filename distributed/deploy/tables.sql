-- Deploy distributed:tables to pg
-- requires: identity
-- requires: policies:users
-- requires: policies:todos
-- requires: policies:better_auth
-- requires: policies:organizations
--
-- Todos lie with their owner's shard. Users are whole on every node, as addresses and usernames are unique over all of them,
-- and so are organizations and their members, whom policies on any shard may ask for. What belongs to users and is the
-- identity provider's alone stays on the coordinator.

begin;

select app_private.answer_by_function('app.account');
select app_private.answer_by_function('app.organization');
select app_private.answer_by_function('app.memberships');

-- Its sub-select asks for the user's memberships: in a function Citus takes it.
create function app_fenced.own_organizations() returns uuid[]
    language sql stable parallel safe security invoker
    set search_path = pg_catalog, pg_temp
as 'select array(select members.organization_id from app.members where members.user_id = (select app.current_user_id()))';
comment on function app_fenced.own_organizations() is 'The organizations that the user is a member of, for the policy on them.';
revoke all on function app_fenced.own_organizations() from public;
grant execute on function app_fenced.own_organizations() to app_gate;
select app_private.alter_policies('app.organizations');
alter policy select_own on app.organizations using (id = any (app_fenced.own_organizations()));

-- Citus writes a column's default into the INSERT that it sends to a shard, which then asks for the right to the column. What
-- nobody may choose is set there anew.
create function app.stamp() returns trigger
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
begin
    if row_security_active(tg_relid) then
        new.created_at := now();
        new.updated_at := now();
    end if;
    return new;
end
$$;
comment on function app.stamp() is 'Trigger: a new row of a service''s is of the time of its transaction.';
revoke all on function app.stamp() from public;
create trigger stamp before insert on app.todos for each row execute function app.stamp();
comment on trigger stamp on app.todos is 'Sets the times of a new todo.';

-- Every node runs the trigger on its own copy, and each has a now() of its own: copies would differ, and what compares a whole
-- row with the one that was seen would find it on one node alone. What nodes have in common is when their transaction began.
create function app.touch_alike() returns trigger
    language plpgsql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    new.updated_at := coalesce((select transaction_stamp from get_current_transaction_id()), now());
    return new;
end
$$;
comment on function app.touch_alike() is 'Trigger: sets updated_at to the time of the transaction, the same on every node.';
revoke all on function app.touch_alike() from public;
drop trigger touch on app.users;
create trigger touch before update on app.users for each row execute function app.touch_alike();
comment on trigger touch on app.users is 'Keeps updated_at.';

grant insert (owner_id, created_at, updated_at) on app.todos to app_user;
grant insert (id) on app.sessions, app.accounts, app.organizations, app.members, app.invitations to app_auth;

select app_private.distribute('app.users');
select app_private.distribute('app.organizations');
select app_private.distribute('app.members');
select app_private.distribute('app.invitations');
select app_private.distribute('app.todos', 'owner_id');

commit;
