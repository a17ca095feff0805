-- default_privileges | schema lib | tables to come
alter default privileges in schema lib grant select on tables to authenticated;

-- flag_writable | policy i on lib.loans | what looks like the library's own
alter table lib.loans add is_official boolean not null default false;
create policy r on lib.loans for select using (is_official or reader_id = auth.uid());
create policy i on lib.loans for insert with check (reader_id = auth.uid());
grant insert on lib.loans to authenticated;

-- function_definer | function lib.title_of(uuid) | one value of a row that its caller names
create policy r on lib.loans for select using (reader_id = auth.uid());
create function lib.title_of(loan uuid) returns text language sql security definer set search_path = ''
    as 'select title from lib.loans where id = loan';
grant execute on function lib.title_of to authenticated;

-- function_search_path | function lib.mine() | names that its caller gives
create function lib.mine() returns setof lib.loans language sql security definer as 'select * from lib.loans where reader_id = auth.uid()';
grant execute on function lib.mine to authenticated;

-- identity_immutable | function lib.is_mine(uuid) | asked with a column each time
create function lib.is_mine(reader uuid) returns boolean language sql immutable as 'select reader = auth.uid()';
create policy r on lib.loans for select using (lib.is_mine(reader_id));

-- key_unique | lib.loans | a shelf-mark that is taken
alter table lib.loans add mark text unique;
create policy r on lib.loans for select using (reader_id = auth.uid());
create policy i on lib.loans for insert with check (reader_id = auth.uid());
grant insert on lib.loans to authenticated;

-- parent_unchecked | policy i on lib.notes | a note on a loan that one does not see
create policy r on lib.loans for select using (reader_id = auth.uid());
create table lib.notes (id uuid primary key, reader_id uuid not null references lib.readers, loan_id uuid references lib.loans);
alter table lib.notes enable row level security;
create policy i on lib.notes for insert with check (reader_id = auth.uid());
grant insert on lib.notes to authenticated;

-- policy_public | policy r on lib.loans | every row of what is somebody's, to everybody
create policy r on lib.loans for select using (true);

-- policy_recursion | policy r on lib.cards | itself through a function, unless another policy is enough
create function lib.holds(house uuid) returns boolean language sql stable
    as 'select exists (select 1 from lib.cards as c where c.house_id = house and c.reader_id = auth.uid())';
create policy r on lib.cards for select to authenticated using (lib.holds(house_id));

-- policy_unreadable | policy r on lib.loans | more ways than anybody would read
create policy r on lib.loans for select using (
    (reader_id = auth.uid() or public or title = 'a') and (reader_id = auth.uid() or public or title = 'b')
    and (reader_id = auth.uid() or public or title = 'c') and (reader_id = auth.uid() or public or title = 'd')
    and (reader_id = auth.uid() or public or title = 'e') and (reader_id = auth.uid() or public or title = 'f'));

-- rls_disabled | lib.drafts | nobody reaches it yet, and it has a policy
create table lib.drafts (id uuid primary key, reader_id uuid);
create policy r on lib.drafts using (reader_id = auth.uid());

-- default_privileges | schema lib | functions to come
alter default privileges in schema lib grant execute on functions to authenticated;
