-- a path with the identity in its variables
create policy r on lib.T for select using (jsonb_path_exists(
    doc, '$.members[*] ? (@ == $me)', jsonb_build_object('me', auth.uid())));

-- a path with a rank beside the identity
create policy r on lib.T for select using (jsonb_path_exists(
    doc, '$.members[*] ? (@.rank == "keeper" && @.id == $me).rank', jsonb_build_object('me', (select auth.uid()))));

-- a path that matches
create policy r on lib.T for select using (jsonb_path_match(doc, '$.owner == $me', jsonb_build_object('me', auth.uid())));

-- the first of a path is there
create policy r on lib.T for select using (jsonb_path_query_first(
    doc, '$.members[*] ? (@ == $me)', jsonb_build_object('me', auth.uid())) is not null);

-- a path's items are there
create policy r on lib.T for select using (exists (
    select from jsonb_path_query(doc, '$.members[*] ? (@ == $me)', jsonb_build_object('me', auth.uid()))));

-- JSON_EXISTS, since 17
create policy r on lib.T for select using (json_exists(doc, '$.members[*] ? (@ == $me)' passing auth.uid()::text as me));

-- JSON_VALUE, since 17
create policy r on lib.T for select using (json_value(doc, '$.owner' returning uuid) = auth.uid());

-- a position
create policy r on lib.T for select using (array_position(helpers, auth.uid()) is not null);

-- a position above none
create policy r on lib.T for select using (array_position(helpers, auth.uid()) > 0);

-- a position above none, or none
create policy r on lib.T for select using (coalesce(array_position(helpers, auth.uid()), 0) > 0);

-- positions
create policy r on lib.T for select using (cardinality(array_positions(helpers, auth.uid())) > 0);

-- strpos
create policy r on lib.T for select using (strpos(reader_id::text, auth.uid()::text) > 0);

-- position in
create policy r on lib.T for select using (position(auth.uid()::text in reader_id::text) = 1);

-- between me and me
create policy r on lib.T for select using (reader_id between auth.uid() and auth.uid());

-- neither less nor more
create policy r on lib.T for select using (not (reader_id < auth.uid() or reader_id > auth.uid()));

-- between in a helper
create function lib.passes_6(reader uuid) returns boolean language sql stable
    as 'select reader between symmetric auth.uid() and auth.uid()';
create policy r on lib.T for select using (lib.passes_6(reader_id));

-- the function of an operator
create policy r on lib.T for select using (uuid_eq(reader_id, auth.uid()));

-- the function of comparing
create policy r on lib.T for select using (uuid_cmp(reader_id, auth.uid()) = 0);

-- all of one
create policy r on lib.T for select using (reader_id = all (array[auth.uid()]));

-- not out of a list
create policy r on lib.T for select using (not (reader_id <> all (array[auth.uid()])));

-- a key of a document
create policy r on lib.T for select using (doc ->> auth.uid()::text in ('editor', 'viewer'));

-- a key of a document is there
create policy r on lib.T for select using ((doc -> auth.uid()::text) is not null);

-- a truth as a number
create policy r on lib.T for select using ((reader_id = auth.uid())::int = 1);

-- a count of what is mine
create policy r on lib.T for select using ((
    select count(*) filter (where c.reader_id = auth.uid()) from lib.cards c where c.house_id = T.house_id) > 0);

-- bool_or
create policy r on lib.T for select using ((
    select coalesce(bool_or(c.reader_id = auth.uid()), false) from lib.cards c where c.house_id = T.house_id));

-- sum of cases
create policy r on lib.T for select using ((
    select sum(case when c.reader_id = auth.uid() then 1 else 0 end) from lib.cards c where c.house_id = T.house_id) > 0);

-- a tree of houses
create policy r on lib.T for select using (house_id in (
    with recursive t as (select c.house_id from lib.cards c where c.reader_id = auth.uid() union select h.id from lib.houses h join t on h.parent_id = t.house_id) select house_id from t));

-- a rank or none
create policy r on lib.T for select using (coalesce(
    (select c.rank from lib.cards c where c.house_id = T.house_id and c.reader_id = auth.uid()), 'none') in ('reader', 'keeper'));

-- a rank that is there and not banned
create policy r on lib.T for select using ((
    select c.rank from lib.cards c where c.house_id = T.house_id and c.reader_id = auth.uid()) <> 'banned');

-- left join that found somebody
create policy r on lib.T for select using (exists (
    select from lib.houses h left join lib.cards c on c.house_id = h.id and c.reader_id = auth.uid() where h.id = T.house_id and c.reader_id is not null));

-- not exists, doubly
create policy r on lib.T for select using (not exists (select where reader_id is distinct from auth.uid()) and auth.uid() is not null);

-- an array of one's own within mine
create policy r on lib.T for select using (array[house_id] <@ array(select c.house_id from lib.cards c where c.reader_id = auth.uid()));

-- split
create policy r on lib.T for select using (split_part(reader_id::text || '/x', '/', 1) = auth.uid()::text);

-- unnest
create policy r on lib.T for select using (exists (select from unnest(helpers) as h where h = auth.uid()));

-- a range of one
create policy r on lib.T for select using (reader_id = any (string_to_array(auth.uid()::text, ',')::uuid[]));

-- starts with
create policy r on lib.T for select using (starts_with(reader_id::text, auth.uid()::text));

-- intersect
create policy r on lib.T for select using (exists (
    select reader_id intersect select auth.uid()) and auth.uid() is not null);

-- a hash
create policy r on lib.T for select using (md5(reader_id::text) = md5(auth.uid()::text));

-- by a list that is empty where there is none
create policy r on lib.T for select using (house_id = any (coalesce(
    (select array_agg(c.house_id) from lib.cards c where c.reader_id = auth.uid()), '{}')));

-- by an object that is empty where there is none
create policy r on lib.T for select using (coalesce(
    (select jsonb_agg(c.house_id) from lib.cards c where c.reader_id = auth.uid()), '[]') ? house_id::text);

-- by a count that is asked outside
create policy r on lib.T for select using (exists (select from (
    select count(*) as n from lib.cards c where c.house_id = T.house_id and c.reader_id = auth.uid()) as t where t.n > 0));

-- by a group that has the caller
create policy r on lib.T for select using (house_id in (
    select c.house_id from lib.cards c group by c.house_id having bool_or(c.reader_id = auth.uid())));

-- the id of nobody where nobody is found
create policy r on lib.T for select using (
    reader_id = coalesce((select id from lib.readers where id = auth.uid()), '00000000-0000-0000-0000-000000000000'));

-- a query by names of its own, and again
create policy r on lib.T for select using (house_id in (
    with recursive reached (house, step) as (
        select c.house_id, 1 from lib.cards as c where c.reader_id = auth.uid()
        union select h.id, step + 1 from lib.houses as h join reached on h.parent_id = reached.house where step < 9
    ) select house from reached));
