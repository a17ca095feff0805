-- == a function that tells everything
-- error function public.dump()
reset role;
create function public.dump() returns setof public.diaries language sql security definer set search_path = ''
    as 'select * from public.diaries';
revoke execute on function public.dump() from public;
grant execute on function public.dump() to authenticated;
-- == a function that tells what is one's own
reset role;
create function public.mine() returns setof public.diaries language sql security definer set search_path = ''
    as 'select * from public.diaries where writer = auth.uid()';
revoke execute on function public.mine() from public;
grant execute on function public.mine() to authenticated;
-- == a function that lets one choose the tenant
-- error function public.enter(uuid)
create table public.papers (id uuid primary key, tenant_id uuid not null, body text);
alter table public.papers enable row level security;
create policy tenant on public.papers for select to authenticated
    using (tenant_id = nullif(current_setting('shop.tenant', true), '')::uuid);
grant select on public.papers to authenticated;
create function public.enter(tenant uuid) returns void language sql as $$ select set_config('shop.tenant', tenant::text, false) $$;
grant execute on function public.enter(uuid) to authenticated;
-- == a function by which anybody joins any club
-- error function public.join_club(uuid, uuid)
create table public.club_members (club_id uuid, user_id uuid references auth.users, primary key (club_id, user_id));
create table public.minutes (id uuid primary key, club_id uuid not null, body text);
alter table public.club_members enable row level security; alter table public.minutes enable row level security;
create policy own on public.club_members for select to authenticated using (user_id = auth.uid());
create policy club on public.minutes for select to authenticated
    using (club_id in (select c.club_id from public.club_members as c where c.user_id = auth.uid()));
create function public.join_club(club uuid, who uuid) returns void language sql security definer set search_path = ''
    as 'insert into public.club_members values (club, who) on conflict do nothing';
grant execute on function public.join_club(uuid, uuid) to authenticated;
grant select on public.club_members, public.minutes to authenticated;
-- == a function that hangs is left, and the rest goes on
-- error reads public.receipts
create table public.receipts (id bigint primary key, customer_id uuid not null, total numeric);
grant select on public.receipts to authenticated;
create function public.nap() returns void language sql security definer set search_path = '' as 'select pg_sleep(60)';
grant execute on function public.nap() to authenticated;
-- == a trigger that refuses, and a function that raises
create table public.todos (id uuid primary key, user_id uuid not null references auth.users, title text);
alter table public.todos enable row level security;
create policy own on public.todos for all to authenticated using (user_id = auth.uid());
grant select, insert, update, delete on public.todos to authenticated;
create function public.no() returns trigger language plpgsql as $$ begin raise 'not today'; end $$;
create trigger no before insert or update or delete on public.todos for each row execute function public.no();
create function public.never() returns void language plpgsql security definer set search_path = '' as $$ begin raise 'never'; end $$;
grant execute on function public.never() to authenticated;
-- == what is said at sign-up becomes a rank
-- error sign_up public.members
create table public.members (id uuid primary key references auth.users, role text not null);
alter table public.members enable row level security;
create policy own on public.members for select to authenticated using (id = auth.uid());
grant select on public.members to authenticated;
create function public.welcome() returns trigger language plpgsql security definer set search_path = '' as $$
begin insert into public.members values (new.id, coalesce(new.raw_user_meta_data ->> 'role', 'guest')); return new; end $$;
create trigger welcome after insert on auth.users for each row execute function public.welcome();
-- == tables to come are open
-- warning born_open schema public
alter default privileges for role shape_owner in schema public grant select, insert on tables to anon;
-- == a service that may become the owner
-- error becomes shape_owner
-- error reads auth.users
-- error updates auth.users
-- error deletes auth.users
-- error truncates auth.users
-- error truncates public.diaries
reset role;
grant shape_owner to authenticated;
-- == a setting that is a number
-- error reads public.baskets
create table public.baskets (id bigint primary key, customer bigint not null, open boolean not null default true);
create table public.orders (id bigint primary key, customer bigint not null);
alter table public.baskets enable row level security; alter table public.orders enable row level security;
create policy own on public.orders for select to authenticated using (customer = current_setting('shop.customer', true)::bigint);
create policy own on public.baskets for select to authenticated
    using (exists (select from public.orders as o where o.customer = current_setting('shop.customer', true)::bigint));
grant select on public.orders, public.baskets to authenticated;
-- == a function that runs what it is given
-- error function public.run(text)
reset role;
create function public.run(query text) returns void language plpgsql security definer set search_path = '' as $$
begin execute query; end $$;
revoke execute on function public.run(text) from public;
grant execute on function public.run(text) to authenticated;
-- == a function that deletes what it is named, and asks nobody
-- error function public.forget(uuid)
reset role;
create function public.forget(diary uuid) returns void language sql security definer set search_path = ''
    as 'delete from public.diaries where id = diary';
revoke execute on function public.forget(uuid) from public;
grant execute on function public.forget(uuid) to authenticated;
-- == a function that runs a text of its own, and repeats what it cannot read
reset role;
create function public.page(number text) returns bigint language plpgsql security definer set search_path = '' as $$
declare found bigint; begin execute 'select count(*) from public.diaries where writer = auth.uid() limit $1' into found using number::int; return found; end $$;
revoke execute on function public.page(text) from public;
grant execute on function public.page(text) to authenticated;
-- == a function that makes what is called as one says, and a view that repeats it
create table public.teams (id uuid primary key default gen_random_uuid(), maker uuid not null default auth.uid() references auth.users, name text);
alter table public.teams enable row level security;
create policy own on public.teams for all to authenticated using (maker = auth.uid());
grant select on public.teams to authenticated;
create view public.my_teams with (security_invoker) as select name from public.teams;
create function public.make_team(name text) returns void language sql security definer set search_path = ''
    as 'insert into public.teams (name) values (make_team.name)';
grant execute on function public.make_team(text) to authenticated;
grant select on public.my_teams to authenticated;
-- == a function that counts for everybody
-- question function public.count_again()
create table public.scores (person uuid primary key references auth.users, entries int not null default 0);
alter table public.scores enable row level security;
create policy own on public.scores for select to authenticated using (person = auth.uid());
grant select on public.scores to authenticated;
create function public.count_again() returns void language sql security definer set search_path = ''
    as 'update public.scores as s set entries = (select count(*) from public.diaries as d where d.writer = s.person)';
grant execute on function public.count_again() to authenticated;
-- == a function that lists what nobody owns
create table public.moods (code text primary key, label text not null);
alter table public.moods enable row level security;
create function public.moods_there_are() returns jsonb language sql stable security definer set search_path = ''
    as 'select jsonb_agg(to_jsonb(m)) from public.moods as m';
grant execute on function public.moods_there_are() to anon, authenticated;
-- == a login that bypasses policies, and acts as a service does
-- question becomes shape_super
reset role;
create role shape_super login bypassrls in role authenticated;
