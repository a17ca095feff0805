-- exists over an aggregate that always gives a row
create policy r on lib.T for select using (exists (
    select count(*) from lib.cards c where c.house_id = T.house_id and c.reader_id = auth.uid()));

-- a count that is there
create policy r on lib.T for select using ((
    select count(*) from lib.cards c where c.house_id = T.house_id and c.reader_id = auth.uid()) is not null);

-- a scalar that is not there
create policy r on lib.T for select using ((
    select c.rank from lib.cards c where c.house_id = T.house_id and c.reader_id = auth.uid() and c.rank = 'banned') is null);

-- a default for who is no member
create policy r on lib.T for select using (coalesce(
    (select c.rank from lib.cards c where c.house_id = T.house_id and c.reader_id = auth.uid()), 'reader') <> 'banned');

-- no rank is distinct from banned
create policy r on lib.T for select using ((
    select c.rank from lib.cards c where c.house_id = T.house_id and c.reader_id = auth.uid()) is distinct from 'banned');

-- anti-join
create policy r on lib.T for select using (exists (
    select from lib.houses h left join lib.cards c on c.house_id = h.id and c.reader_id = auth.uid() where h.id = T.house_id and c.rank is null));

-- left join, a rank that is not banned or not there
create policy r on lib.T for select using (exists (
    select from lib.houses h left join lib.cards c on c.house_id = h.id and c.reader_id = auth.uid() where h.id = T.house_id and coalesce(c.rank, 'reader') <> 'banned'));

-- right join
create policy r on lib.T for select using (exists (
    select from lib.cards c right join lib.houses h on c.house_id = h.id and c.reader_id = auth.uid() where h.id = T.house_id));

-- full join
create policy r on lib.T for select using (exists (
    select from lib.cards c full join lib.houses h on c.house_id = h.id and c.reader_id = auth.uid() where h.id = T.house_id));

-- everybody in an empty list is me
create policy r on lib.T for select using (not (auth.uid() <> any (helpers)));

-- an empty list is within mine
create policy r on lib.T for select using (helpers <@ array[auth.uid()]);

-- holds all of none
create policy r on lib.T for select using (helpers @> array(select c.reader_id from lib.cards c where c.reader_id = auth.uid()));

-- all of an empty list
create policy r on lib.T for select using (auth.uid() = all (helpers));

-- a recursion that goes on without a join
create policy r on lib.T for select using (house_id in (
    with recursive t as (select c.house_id from lib.cards c where c.reader_id = auth.uid() union select h.id from lib.houses h) select house_id from t));

-- bool_and over nothing is taken for yes
create policy r on lib.T for select using ((
    select coalesce(bool_and(c.rank <> 'banned'), true) from lib.cards c where c.house_id = T.house_id and c.reader_id = auth.uid()));

-- a maximum that is null
create policy r on lib.T for select using ((
    select max(c.rank) is null from lib.cards c where c.house_id = T.house_id and c.reader_id = auth.uid()));

-- a predicate where a filter was meant
create policy r on lib.T for select using (jsonb_path_exists(doc, '$.owner == $me', jsonb_build_object('me', auth.uid())));

-- a path with or
create policy r on lib.T for select using (jsonb_path_exists(
    doc, '$ ? (@.owner == $me || @.open == true)', jsonb_build_object('me', auth.uid())));

-- a path with not
create policy r on lib.T for select using (jsonb_path_exists(
    doc, '$ ? (!(@.owner == $me))', jsonb_build_object('me', auth.uid())));

-- a path that compares the identity with itself
create policy r on lib.T for select using (jsonb_path_exists(doc, '$ ? ($me == $me)', jsonb_build_object('me', auth.uid())));

-- not in the list
create policy r on lib.T for select using (array_position(helpers, auth.uid()) is null);

-- a half-open range
create policy r on lib.T for select using (reader_id >= auth.uid());

-- between the identity and the row itself
create policy r on lib.T for select using (reader_id between auth.uid() and reader_id);

-- below or above
create policy r on lib.T for select using (reader_id <= auth.uid() or reader_id >= auth.uid());

-- a function of one's own with a name of PostgreSQL's
create function lib.starts_with_1(a text, b text) returns boolean language sql immutable
    as 'select true';
create policy r on lib.T for select using (lib.starts_with_1(reader_id::text, auth.uid()::text));

-- a row that is not another, in a helper
create function lib.passes_2(reader uuid, shown boolean) returns boolean language sql stable
    as 'select not ((reader, shown) = (auth.uid(), true))';
create policy r on lib.T for select using (lib.passes_2(reader_id, public));

-- a key that is not in the document
create policy r on lib.T for select using ((doc -> auth.uid()::text) is null);

-- a default for who is not in the document
create policy r on lib.T for select using (coalesce(doc ->> auth.uid()::text, 'viewer') in ('editor', 'viewer'));

-- a position that is at least none
create policy r on lib.T for select using (coalesce(array_position(helpers, auth.uid()), 0) >= 0);

-- strpos at least none
create policy r on lib.T for select using (strpos(reader_id::text, auth.uid()::text) >= 0 or strpos(title, coalesce(auth.uid()::text, '')) > 0);

-- case whose key is not the caller
create policy r on lib.T for select using (case reader_id when auth.uid() then public else true end);

-- nullif of another
create policy r on lib.T for select using (nullif(reader_id, auth.uid()) is not null);

-- a helper that returns a rank, none being no ban
create function lib.rank_in_3(house uuid) returns text language sql stable security definer set search_path = ''
    as 'select c.rank from lib.cards c where c.house_id = house and c.reader_id = auth.uid()';
create policy r on lib.T for select using (lib.rank_in_3(house_id) is distinct from 'banned');

-- a helper's rank, none being a reader
create function lib.rank_in_4(house uuid) returns text language sql stable security definer set search_path = ''
    as $$ select coalesce((select c.rank from lib.cards c where c.house_id = house and c.reader_id = auth.uid()), 'reader') $$;
create policy r on lib.T for select using (lib.rank_in_4(house_id) in ('reader', 'keeper'));

-- a helper that is null for others
create function lib.banned_5(house uuid) returns boolean language sql stable security definer set search_path = ''
    as $$ select c.rank = 'banned' from lib.cards c where c.house_id = house and c.reader_id = auth.uid() $$;
create policy r on lib.T for select using (lib.banned_5(house_id) is not true);

-- greatest
create policy r on lib.T for select using (greatest(reader_id, auth.uid()) = reader_id);

-- one more than a count
create policy r on lib.T for select using ((
    select count(*) + 1 from lib.cards c where c.house_id = T.house_id and c.reader_id = auth.uid()) > 0);

-- a count that is more than less than none
create policy r on lib.T for select using ((
    select count(*) from lib.cards c where c.house_id = T.house_id and c.reader_id = auth.uid()) > -1);

-- a count of none is a row as well
create policy r on lib.T for select using (exists (select from (
    select count(*) as n from lib.cards c where c.house_id = T.house_id and c.reader_id = auth.uid()) as t));

-- others than the id of nobody
create policy r on lib.T for select using (
    reader_id <> coalesce((select id from lib.readers where id = auth.uid()), '00000000-0000-0000-0000-000000000000'));

-- a rank that is looked up beside a house, none being a reader
create policy r on lib.T for select using (exists (select from (
    select h.id as house, (select c.rank from lib.cards c where c.reader_id = auth.uid() and c.house_id = h.id) as rank
      from lib.houses h) as t where house = T.house_id and coalesce(t.rank, 'reader') = 'reader'));
