-- == a row for somebody else
-- error forges public.todos
create table public.todos (id uuid primary key, user_id uuid not null references auth.users, title text);
alter table public.todos enable row level security;
create policy own on public.todos for select to authenticated using (user_id = auth.uid());
create policy add on public.todos for insert to authenticated with check (auth.role() = 'authenticated');
grant select, insert on public.todos to authenticated;
-- == a row of one's own
create table public.todos (id uuid primary key, user_id uuid not null references auth.users, title text);
alter table public.todos enable row level security;
create policy own on public.todos for all to authenticated using (user_id = auth.uid());
grant select, insert, update, delete on public.todos to authenticated;
-- == a change that only looks like one's own
-- error updates public.todos
create table public.todos (id uuid primary key, user_id uuid not null references auth.users, title text);
alter table public.todos enable row level security;
create policy own on public.todos for select to authenticated using (user_id = auth.uid());
create policy edit on public.todos for update to authenticated using (auth.uid() is not null);
grant select, update (title) on public.todos to authenticated;
-- == a row is given away
-- error plants public.todos
create table public.todos (id uuid primary key, user_id uuid not null references auth.users, title text);
alter table public.todos enable row level security;
create policy own on public.todos for select to authenticated using (user_id = auth.uid());
create policy edit on public.todos for update to authenticated using (user_id = auth.uid()) with check (title <> '');
grant select, update on public.todos to authenticated;
-- == a comment under a letter that is hidden
-- error plants public.comments
create table public.letters (id uuid primary key, user_id uuid not null references auth.users);
create table public.comments (id uuid primary key, letter_id uuid not null references public.letters, user_id uuid references auth.users, body text);
alter table public.letters enable row level security; alter table public.comments enable row level security;
create policy own on public.letters for select to authenticated using (user_id = auth.uid());
create policy seen on public.comments for select to authenticated
    using (exists (select from public.letters as l where l.id = letter_id and l.user_id = auth.uid()));
create policy add on public.comments for insert to authenticated with check (user_id = auth.uid());
grant select, insert on public.comments, public.letters to authenticated;
-- == what a foreign key tells
-- warning oracle public.pages
create table public.books (id int primary key, user_id uuid not null references auth.users);
create table public.pages (id uuid primary key, user_id uuid not null references auth.users, book_id int not null references public.books);
alter table public.books enable row level security; alter table public.pages enable row level security;
create policy own on public.books for select to authenticated using (user_id = auth.uid());
create policy own on public.pages for all to authenticated using (user_id = auth.uid());
grant select on public.books to authenticated; grant select, insert on public.pages to authenticated;
-- == deleting, though reading is right
-- error deletes public.todos
create table public.todos (id uuid primary key, user_id uuid not null references auth.users, title text);
alter table public.todos enable row level security;
create policy own on public.todos for select to authenticated using (user_id = auth.uid());
create policy clear on public.todos for delete to authenticated using (title is not null);
grant select, delete on public.todos to authenticated;
-- == emptying
-- error truncates public.diaries
grant truncate on public.diaries to authenticated;
-- == through a view with a trigger of its owner's
-- error updates public.diary_titles
reset role;
create view public.diary_titles with (security_invoker) as select id, writer, entry from public.diaries;
create function public.retitle() returns trigger language plpgsql security definer set search_path = ''
    as 'begin update public.diaries set entry = new.entry; return new; end';
create trigger retitle instead of update on public.diary_titles for each row execute function public.retitle();
grant select, update on public.diary_titles to authenticated;
-- == a rank that its holder may change
-- error promotion public.members
create table public.members (id uuid primary key references auth.users, rank text not null default 'guest');
create table public.files (id uuid primary key, user_id uuid not null references auth.users, body text);
alter table public.members enable row level security; alter table public.files enable row level security;
create policy own on public.members for all to authenticated using (id = auth.uid());
create policy own on public.files for select to authenticated using (user_id = auth.uid()
    or exists (select from public.members as m where m.id = auth.uid() and m.rank = 'admin'));
grant select, update on public.members to authenticated; grant select on public.files to authenticated;
-- == a rank that its holder may not change
create table public.members (id uuid primary key references auth.users, rank text not null default 'guest', nick text);
create table public.files (id uuid primary key, user_id uuid not null references auth.users, body text);
alter table public.members enable row level security; alter table public.files enable row level security;
create policy own on public.members for all to authenticated using (id = auth.uid());
create policy own on public.files for select to authenticated using (user_id = auth.uid()
    or exists (select from public.members as m where m.id = auth.uid() and m.rank = 'admin'));
grant select, update (nick) on public.members to authenticated; grant select on public.files to authenticated;
-- == the head of one club reads every club
-- error tenant_role_opens_all public.club_members
create table public.club_members (club_id uuid, user_id uuid references auth.users, rank text not null, primary key (club_id, user_id));
create table public.minutes (id uuid primary key, club_id uuid not null, body text);
alter table public.club_members enable row level security; alter table public.minutes enable row level security;
create policy own on public.club_members for select to authenticated using (user_id = auth.uid());
create policy club on public.minutes for select to authenticated
    using (exists (select from public.club_members as c where c.user_id = auth.uid() and c.rank = 'owner'));
grant select on public.club_members, public.minutes to authenticated;
-- == a claim that its owner writes
-- error mutable_claim public.sheets
create table public.sheets (id uuid primary key, tenant_id uuid not null, body text);
alter table public.sheets enable row level security;
create policy tenant on public.sheets for select to authenticated
    using (tenant_id = (auth.claims() -> 'user_metadata' ->> 'tenant_id')::uuid);
grant select on public.sheets to authenticated;
-- == a claim that only the server writes
create table public.sheets (id uuid primary key, tenant_id uuid not null, body text);
alter table public.sheets enable row level security;
create policy tenant on public.sheets for select to authenticated
    using (tenant_id = (auth.claims() -> 'app_metadata' ->> 'tenant_id')::uuid);
grant select on public.sheets to authenticated;
-- == a row that everybody is shown
-- error shown_to_all public.snippets
-- warning own_privilege public.snippets
create table public.snippets (id uuid primary key, user_id uuid not null references auth.users, is_builtin_system boolean not null default false);
alter table public.snippets enable row level security;
create policy seen on public.snippets for select to authenticated using (is_builtin_system or user_id = auth.uid());
create policy add on public.snippets for insert to authenticated with check (user_id = auth.uid());
grant select, insert on public.snippets to authenticated;
-- == a row that is taken, as only the new one is asked whose it is
-- error updates public.bikes
create table public.bikes (id uuid primary key, rider_id uuid not null references auth.users, frame text);
alter table public.bikes enable row level security;
create policy own on public.bikes for select to authenticated using (rider_id = auth.uid());
create policy edit on public.bikes for update to authenticated using (true) with check (rider_id = auth.uid());
grant select, update on public.bikes to authenticated;
-- == a member of whichever club they like
-- error promotion public.club_members
create table public.club_members (club_id uuid, user_id uuid references auth.users, primary key (club_id, user_id));
create table public.minutes (id uuid primary key, club_id uuid not null, body text);
alter table public.club_members enable row level security; alter table public.minutes enable row level security;
create policy own on public.club_members for select to authenticated using (user_id = auth.uid());
create policy enter on public.club_members for insert to authenticated with check (user_id = auth.uid());
create policy club on public.minutes for select to authenticated
    using (club_id in (select c.club_id from public.club_members as c where c.user_id = auth.uid()));
grant select, insert on public.club_members to authenticated;
grant select on public.minutes to authenticated;
-- == the head of one's own club, by one's own hand
-- error promotion public.club_members
create table public.club_members (
    club_id uuid, user_id uuid references auth.users, rank text not null default 'guest', primary key (club_id, user_id)
);
create table public.minutes (id uuid primary key, club_id uuid not null, body text);
alter table public.club_members enable row level security; alter table public.minutes enable row level security;
create policy own on public.club_members for all to authenticated using (user_id = auth.uid());
create policy club on public.minutes for select to authenticated using (club_id in (
    select c.club_id from public.club_members as c where c.user_id = auth.uid() and c.rank = 'admin'));
grant select, update (rank) on public.club_members to authenticated;
grant select on public.minutes to authenticated;
-- == a value that one only has, and tells that somebody has it
-- warning oracle public.shelves
create table public.shelves (
    id uuid primary key default gen_random_uuid(), owner_id uuid not null references auth.users, label text not null unique
);
alter table public.shelves enable row level security;
create policy own on public.shelves for all to authenticated using (owner_id = auth.uid());
grant select, insert on public.shelves to authenticated;
-- == a value that is one only among one's own
create table public.shelves (
    id uuid primary key default gen_random_uuid(), owner_id uuid not null references auth.users, label text not null,
    unique (owner_id, label)
);
alter table public.shelves enable row level security;
create policy own on public.shelves for all to authenticated using (owner_id = auth.uid());
grant select, insert on public.shelves to authenticated;
-- == the head of one club deletes what is every club's
-- error tenant_role_opens_all public.club_members
create table public.club_members (club_id uuid, user_id uuid references auth.users, rank text not null, primary key (club_id, user_id));
create table public.minutes (id uuid primary key, club_id uuid not null, body text);
alter table public.club_members enable row level security; alter table public.minutes enable row level security;
create policy own on public.club_members for select to authenticated using (user_id = auth.uid());
create policy club on public.minutes for select to authenticated
    using (club_id in (select c.club_id from public.club_members as c where c.user_id = auth.uid()));
create policy clear on public.minutes for delete to authenticated
    using (exists (select from public.club_members as c where c.user_id = auth.uid() and c.rank = 'owner'));
grant select on public.club_members to authenticated;
grant select, delete on public.minutes to authenticated;
-- == the head of a club deletes what is that club's
create table public.club_members (club_id uuid, user_id uuid references auth.users, rank text not null, primary key (club_id, user_id));
create table public.minutes (id uuid primary key, club_id uuid not null, body text);
alter table public.club_members enable row level security; alter table public.minutes enable row level security;
create policy own on public.club_members for select to authenticated using (user_id = auth.uid());
create policy club on public.minutes for select to authenticated
    using (club_id in (select c.club_id from public.club_members as c where c.user_id = auth.uid()));
create policy clear on public.minutes for delete to authenticated using (exists (
    select from public.club_members as c where c.user_id = auth.uid() and c.rank = 'owner' and c.club_id = minutes.club_id));
grant select on public.club_members to authenticated;
grant select, delete on public.minutes to authenticated;
-- == whoever puts themselves on a list of administrators
-- error promotion public.admins
create table public.admins (person uuid primary key references auth.users);
create table public.bills (id uuid primary key default gen_random_uuid(), person uuid not null references auth.users, cents int);
alter table public.admins enable row level security;
alter table public.bills enable row level security;
create policy i on public.admins for insert to authenticated with check (person = auth.uid());
create policy r on public.bills for select to authenticated
    using (person = auth.uid() or auth.uid() in (select a.person from public.admins as a));
create policy me on public.admins for select to authenticated using (person = auth.uid());
grant select on public.admins, public.bills to authenticated;
grant insert on public.admins to authenticated;
-- == a trigger that says whose a row is
create table public.bills (id uuid primary key default gen_random_uuid(), person uuid not null references auth.users, cents int);
alter table public.bills enable row level security;
create function public.mine() returns trigger language plpgsql as $$ begin new.person := auth.uid(); return new; end $$;
create trigger mine before insert or update on public.bills for each row execute function public.mine();
create policy own on public.bills for all to authenticated using (person = auth.uid());
grant select, insert on public.bills to authenticated;
