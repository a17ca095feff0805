-- == a view that its owner reads everything through
-- error view public.every_diary
reset role;
create view public.every_diary as select writer, entry from public.diaries;
grant select on public.every_diary to authenticated;
-- == a view that asks as its caller
reset role;
create view public.my_diary with (security_invoker) as select writer, entry from public.diaries;
grant select on public.my_diary to authenticated;
-- == a table without row-level security
-- error deletes public.receipts
-- error reads public.receipts
create table public.receipts (id bigint primary key, customer_id uuid not null, total numeric);
grant select, delete on public.receipts to authenticated;
-- == a partition that is read past its parent's policies
-- error reads public.visits_old
create table public.visits (id bigint, patient_id uuid not null, day date not null default '2026-06-01', primary key (id, day))
    partition by range (day);
create table public.visits_old partition of public.visits for values from ('2020-01-01') to ('2030-01-01');
alter table public.visits enable row level security, force row level security;
create policy own on public.visits for select to authenticated using (patient_id = (select auth.uid()));
grant select on public.visits, public.visits_old to authenticated;
-- == membership in any club opens every club
-- error reads public.minutes
create table public.club_members (club_id uuid, user_id uuid references auth.users, primary key (club_id, user_id));
create table public.minutes (id uuid primary key, club_id uuid not null, body text);
alter table public.club_members enable row level security; alter table public.minutes enable row level security;
create policy own on public.club_members for select to authenticated using (user_id = auth.uid());
create policy club on public.minutes for select to authenticated
    using (exists (select from public.club_members as c where c.user_id = auth.uid() and c.club_id = c.club_id));
grant select on public.club_members, public.minutes to authenticated;
-- == membership in this club, by a definer function
create table public.club_members (club_id uuid, user_id uuid references auth.users, primary key (club_id, user_id));
create table public.minutes (id uuid primary key, club_id uuid not null, body text);
alter table public.club_members enable row level security; alter table public.minutes enable row level security;
create policy own on public.club_members for select to authenticated using (user_id = auth.uid());
create function public.in_club(club uuid) returns boolean language sql stable security definer set search_path = ''
    as 'select exists (select from public.club_members as c where c.club_id = club and c.user_id = auth.uid())';
grant execute on function public.in_club(uuid) to authenticated;
create policy club on public.minutes for select to authenticated using (public.in_club(club_id));
grant select on public.club_members, public.minutes to authenticated;
-- == whoever is signed in reads addresses
-- error reads public.customers
create table public.customers (id uuid primary key references auth.users, phone text);
alter table public.customers enable row level security;
create policy everybody on public.customers for select to authenticated using (auth.uid() is not null);
grant select on public.customers to authenticated;
-- == whoever is signed in reads scores: perhaps meant
-- question read_by_all public.scores
create table public.scores (user_id uuid primary key references auth.users, points int);
alter table public.scores enable row level security;
create policy everybody on public.scores for select to authenticated using (true);
grant select on public.scores to authenticated;
-- == a catalogue
create table public.plans (id int primary key, label text);
alter table public.plans enable row level security;
create policy everybody on public.plans for select to anon, authenticated using (true);
grant select on public.plans to anon, authenticated;
-- == no identity is null, and null is nobody's row
-- error reads public.drafts
create table public.drafts (id uuid primary key, user_id uuid references auth.users, body text);
alter table public.drafts enable row level security;
create policy own on public.drafts for select to anon, authenticated
    using (auth.uid() is null or user_id = auth.uid());
grant select on public.drafts to anon, authenticated;
-- == what is nobody's is taken by the first who comes
-- error ownerless public.leads
create table public.leads (id uuid primary key, user_id uuid references auth.users, body text);
alter table public.leads enable row level security;
create policy own on public.leads for all to authenticated using (user_id is null or user_id = auth.uid());
grant select, update on public.leads to authenticated;
-- == what is nobody's is taken, behind flags that decide nothing
-- error ownerless public.prospects
create table public.prospects (
    id uuid primary key, a1 bool, a2 bool, a3 bool, a4 bool, a5 bool, a6 bool, a7 bool, user_id uuid references auth.users
);
alter table public.prospects enable row level security;
create policy own on public.prospects for all to authenticated using (user_id is null or user_id = auth.uid());
grant select, update on public.prospects to authenticated;
-- == recursion
-- error broken public.teams
create table public.teams (id uuid primary key, user_id uuid references auth.users, lead uuid);
alter table public.teams enable row level security;
create policy own on public.teams for select to authenticated
    using (exists (select from public.teams as t where t.id = teams.id and t.user_id = auth.uid()));
grant select on public.teams to authenticated;
-- == an identity that is written into the policy
-- error built_in_identity public.letters
create table public.letters (id uuid primary key, user_id uuid references auth.users, body text);
alter table public.letters enable row level security;
create policy own on public.letters for select to authenticated
    using (user_id = auth.uid() or auth.uid() = 'aaaaaaaa-0000-0000-0000-00000000000a');
grant select on public.letters to authenticated;
-- == a role that is inherited reads everything
-- error reads public.diaries
reset role;
create policy desk on public.diaries for select to shape_desk using (true);
grant shape_desk to authenticated;
-- == a view that keeps what another saw
-- warning view public.diary_counts
reset role;
create materialized view public.diary_counts as select writer, count(*) from public.diaries group by writer;
alter materialized view public.diary_counts owner to shape_owner;
grant select on public.diary_counts to authenticated;
-- == an identity that a plan keeps
-- error stale_identity public.memos
create table public.memos (id uuid primary key, user_id uuid references auth.users, body text);
alter table public.memos enable row level security;
create function public.me() returns uuid language sql immutable as 'select auth.uid()';
grant execute on function public.me() to authenticated;
create policy own on public.memos for select to authenticated using (user_id = public.me());
grant select on public.memos to authenticated;
-- == a bucket of files by its owner's folder, and one by nobody's
-- error reads storage.objects/scans
reset role;
create schema storage; grant usage on schema storage to authenticated;
create table storage.objects (id uuid primary key, bucket_id text not null, name text not null);
alter table storage.objects enable row level security;
create policy own on storage.objects for select to authenticated
    using (bucket_id = 'avatars' and split_part(name, '/', 1) = auth.uid()::text);
create policy scans on storage.objects for select to authenticated using (bucket_id = 'scans' and name is not null);
grant select on storage.objects to authenticated;
-- == a header that whoever asks writes
-- error mutable_claim public.sheets
create table public.sheets (id uuid primary key, reader uuid not null, body text);
alter table public.sheets enable row level security;
create policy reader on public.sheets for select to authenticated
    using (reader = (current_setting('request.headers', true)::json ->> 'x-reader')::uuid);
grant select on public.sheets to authenticated;
-- == what a user wrote of themselves, in the account
-- error mutable_claim public.sheets
create table public.sheets (id uuid primary key, user_id uuid not null references auth.users, body text);
alter table public.sheets enable row level security;
reset role;
create function public.is_staff() returns boolean language sql stable security definer set search_path = '' as $$
    select exists (select from auth.users as u where u.id = auth.uid() and u.raw_user_meta_data ->> 'rank' = 'staff') $$;
grant execute on function public.is_staff() to authenticated;
create policy own on public.sheets for select to authenticated using (user_id = auth.uid() or public.is_staff());
grant select on public.sheets to authenticated;
-- == whoever is on a list of administrators, which nobody may write
create table public.admins (person uuid primary key references auth.users);
create table public.bills (id uuid primary key default gen_random_uuid(), person uuid not null references auth.users, cents int);
alter table public.admins enable row level security;
alter table public.bills enable row level security;
create policy r on public.bills for select to authenticated
    using (person = auth.uid() or exists (select from public.admins as a where a.person = auth.uid()));
create policy me on public.admins for select to authenticated using (person = auth.uid());
grant select on public.admins, public.bills to authenticated;
-- == a partition that is granted by itself
-- error reads public.visits_2030
create table public.visits (person uuid references auth.users, at date default '2031-01-01', primary key (person, at))
    partition by range (at);
create table public.visits_2030 partition of public.visits for values from ('2030-01-01') to ('2031-01-01');
create table public.visits_rest partition of public.visits default;
alter table public.visits enable row level security;
create policy r on public.visits for select to authenticated using (person = auth.uid());
grant select on public.visits, public.visits_2030 to authenticated;
-- == whether anybody is an administrator
-- error reads public.bills
create table public.people (person uuid primary key references auth.users, is_admin boolean not null default false);
create table public.bills (id uuid primary key default gen_random_uuid(), person uuid not null references auth.users, cents int);
alter table public.people enable row level security;
alter table public.bills enable row level security;
create function public.has_admin() returns boolean language sql stable security definer set search_path = ''
    as $$ select exists (select from public.people as p where p.is_admin) $$;
grant execute on function public.has_admin() to authenticated;
create policy r on public.people for select to authenticated using (person = auth.uid());
create policy r on public.bills for select to authenticated using (person = auth.uid() or public.has_admin());
grant select on public.people, public.bills to authenticated;
-- == odd names, generated and identity columns, domains, keys of several columns, no columns at all
-- error reads public."a.b"
create domain public.grade as text not null check (value in ('admin', 'pupil'));
create table public."a.b" (
    "a.b" text[], x int, "Own Er" uuid not null references auth.users, grade public.grade, nr bigint generated always as identity,
    since timestamp, day date not null generated always as (since::date) stored, primary key ("Own Er", nr)
);
create table public."Parts" ("Of Whom" uuid, "Day of" date, kind text, primary key ("Of Whom", "Day of", kind)) partition by range ("Day of");
create table public.parts_90s partition of public."Parts" for values from ('1990-01-01') to ('2000-01-01') partition by list (kind);
create table public.parts_90s_a partition of public.parts_90s for values in ('a');
create table public.nothing ();
grant select on public."a.b" to authenticated;
create policy staff on public.diaries for select to authenticated
    using (exists (select from public."a.b" as b where b."Own Er" = auth.uid() and b.grade = 'admin'));
-- == some columns of everybody's rows
-- error reads public.members
create table public.members (id uuid primary key, person uuid not null references auth.users, pin text, note text);
alter table public.members enable row level security;
create policy everybody on public.members for select to authenticated using (person is not null);
grant select (person, note) on public.members to authenticated;
-- == columns that are alike in everybody's rows
create table public.votes (id uuid primary key, voter uuid not null references auth.users, points int not null, done boolean);
alter table public.votes enable row level security;
create policy own on public.votes for select to authenticated using (voter = auth.uid());
grant select (points, done) on public.votes to authenticated;
