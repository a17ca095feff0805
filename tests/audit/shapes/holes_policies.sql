-- policy_open | policy r on lib.loans | a member of any house
create policy r on lib.loans for select using ('keeper' in (select rank from lib.cards where reader_id = auth.uid()));

-- policy_open | policy r on lib.loans | the inner column on both sides
create policy r on lib.loans for select using (exists (select from lib.cards as c where c.reader_id = auth.uid() and c.house_id = house_id));

-- policy_open | policy r on lib.loans | whoever is on any list
create policy r on lib.loans for select using (exists (select from lib.cards as c where c.reader_id = auth.uid()));

-- policy_open | policy r on lib.loans | the identity or the row itself
create policy r on lib.loans for select using (coalesce(auth.uid(), reader_id) = reader_id);

-- policy_open | policy r on lib.loans | no identity is not distinct from none
alter table lib.loans alter reader_id drop not null;
create policy r on lib.loans for select using (reader_id is not distinct from auth.uid());

-- policy_open | policy r on lib.loans | a constant in a list of the caller's
create policy r on lib.loans for select using (1 in (select 1 from lib.cards where reader_id = auth.uid()));

-- policy_open | policy r on lib.loans | one user by name
create policy r on lib.loans for select using (auth.uid() = '11111111-1111-1111-1111-111111111111');

-- policy_open | policy r on lib.loans | a scalar that is not about the row
create policy r on lib.loans for select using ((select c.reader_id from lib.cards as c limit 1) = auth.uid());

-- policy_open | policy r on lib.loans | somebody's membership
alter policy mine on lib.cards using (true);
create policy r on lib.loans for select using (house_id in (select house_id from lib.cards));

-- policy_open | policy r on lib.loans | other people's
create policy r on lib.loans for select using (reader_id <> auth.uid());

-- policy_open | policy d on lib.loans | everybody deletes
create policy d on lib.loans for delete using (true);
grant delete on lib.loans to authenticated;

-- policy_open | policy d on lib.loans | whoever is signed in deletes
create policy d on lib.loans for delete using (auth.role() = 'authenticated');
grant delete on lib.loans to authenticated;

-- policy_open | policy live on lib.loans | a limit written as a permission
create policy own on lib.loans for select using (reader_id = auth.uid());
create policy live on lib.loans for select using (returned_at is null and title not like 'deleted%' or false);
alter table lib.loans add deleted_at timestamptz;
alter policy live on lib.loans using (deleted_at is null);

-- policy_open | policy r on lib.loans | a LEFT JOIN that finds nobody
alter policy mine on lib.cards using (true);
alter policy me on lib.readers using (true);
create policy r on lib.loans for select using (exists (
    select from lib.cards as c left join lib.readers as r on r.id = c.reader_id and r.id = auth.uid() where c.house_id = loans.house_id));

-- policy_open | policy r on lib.loans | an argument hidden by a column
create function lib.holds(house_id uuid) returns boolean language sql stable
    as 'select exists (select 1 from lib.cards as c where c.house_id = house_id and c.reader_id = auth.uid())';
create policy r on lib.loans for select using (lib.holds(house_id));

-- policy_open | policy r on lib.loans | a helper in PL/pgSQL that lets nobody pass
create function lib.passes(reader uuid) returns boolean language plpgsql stable as $$
begin
    if auth.uid() is null then return true; end if;
    return reader = auth.uid();
end $$;
create policy r on lib.loans for select using (lib.passes(reader_id));

-- policy_write_wider | policy u on lib.loans | rows given away
create policy r on lib.loans for select using (reader_id = auth.uid());
create policy u on lib.loans for update using (reader_id = auth.uid()) with check (true);
grant update on lib.loans to authenticated;

-- mutable_claim | policy r on lib.loans | what the user edits
create policy r on lib.loans for select using (house_id::text = auth.jwt() -> 'user_metadata' ->> 'house');

-- policy_recursion | policy r on lib.loans | itself through another
create policy r on lib.loans for select using (exists (select from lib.fines as f where f.loan_id = loans.id));
create policy r on lib.fines for select using (exists (select from lib.loans as l where l.id = loan_id and l.reader_id = auth.uid()));

-- mutable_claim | policy r on lib.loans | a header that whoever asks writes
create policy r on lib.loans for select using (reader_id = (current_setting('request.headers', true)::json ->> 'x-reader')::uuid);

-- mutable_claim | policy r on lib.loans | what a user wrote of themselves, in the account
create function lib.is_keeper() returns boolean language sql stable security definer set search_path = ''
    as $$ select exists (select from auth.users as u where u.id = auth.uid() and u.raw_user_meta_data ->> 'rank' = 'keeper') $$;
create policy r on lib.loans for select using (reader_id = auth.uid() or lib.is_keeper());

-- policy_open | policy r on lib.loans | whether it is somebody, not who
create policy r on lib.loans for select using (auth.uid() is not null);

-- policy_open | policy r on lib.loans | true where something fails
create function lib.may(house uuid) returns boolean language plpgsql stable as $$
begin return exists (select from lib.cards as c where c.house_id = house and c.reader_id = auth.uid());
exception when others then return true; end $$;
create policy r on lib.loans for select using (lib.may(house_id));

-- policy_open | policy r on lib.loans | a column that opens a row beside its reader
create policy r on lib.loans for select using (reader_id = auth.uid() or title <> '');

-- policy_open | policy r on lib.loans | a column that is never empty, and so opens every row
create policy r on lib.loans for select using (reader_id = auth.uid() or house_id is not null);

-- policy_open | policy r on lib.loans | a helper that only finds the row itself
create function lib.sees(loan uuid, reader uuid) returns boolean language sql stable security definer set search_path = ''
    as 'select exists (select from lib.loans as l where l.id = loan)';
create policy r on lib.loans for select using (lib.sees(id, auth.uid()));

-- policy_open | policy r on lib.loans | whether anybody is a keeper
create function lib.has_keeper() returns boolean language sql stable security definer set search_path = ''
    as $$ select exists (select from lib.readers as r where r.rank = 'keeper') $$;
create policy r on lib.loans for select using (reader_id = auth.uid() or lib.has_keeper());

-- policy_open | policy r on lib.loans | an address that is like any
create policy r on lib.loans for select using (reader_id = auth.uid() or auth.jwt() ->> 'email' like '%@%');

-- policy_open | policy i on lib.fines | anybody adds to what is somebody's
create policy r on lib.loans for select using (reader_id = auth.uid());
create policy i on lib.fines for insert with check (true);
grant insert on lib.fines to authenticated;

-- policy_recursion | policy r on lib.cards | itself through a function that runs as its caller
create function lib.holds(house uuid) returns boolean language sql stable
    as 'select exists (select 1 from lib.cards as c where c.house_id = house and c.reader_id = auth.uid())';
drop policy mine on lib.cards;
create policy r on lib.cards for select to authenticated using (lib.holds(house_id));

-- policy_open | policy r on lib.loans | no answer is not a no
create policy r on lib.loans for select using ((reader_id = auth.uid()) is not false);

-- policy_open | policy r on lib.loans | no answer is the second one
create policy r on lib.loans for select using (coalesce(reader_id = auth.uid(), true));

-- policy_open | policy r on lib.loans | no answer ends in ELSE
create policy r on lib.loans for select using (case when reader_id <> auth.uid() then false else true end);

-- policy_open | policy r on lib.loans | no answer does not end a helper
create function lib.passes(reader uuid) returns boolean language plpgsql stable as $$
begin
    if reader <> auth.uid() then return false; end if;
    return true;
end $$;
create policy r on lib.loans for select using (lib.passes(reader_id));

-- policy_open | policy r on lib.loans | who is no member has no rank, which is no other one
create function lib.passes(house uuid) returns boolean language plpgsql stable security definer set search_path = '' as $$
declare found_rank text;
begin
    select c.rank into found_rank from lib.cards as c where c.house_id = house and c.reader_id = auth.uid();
    if found_rank <> 'keeper' then raise 'no'; end if;
    return true;
end $$;
create policy r on lib.loans for select using (lib.passes(house_id));

-- policy_open | policy r on lib.loans | a helper that returns a variable
create function lib.passes(house uuid) returns boolean language plpgsql stable security definer set search_path = '' as $$
declare passes boolean;
begin
    select exists (select from lib.cards as c where c.house_id = house) into passes;
    return passes;
end $$;
create policy r on lib.loans for select using (lib.passes(house_id));

-- policy_open | policy r on lib.loans | a variable that is only given where somebody is signed in
create function lib.passes(reader uuid) returns boolean language plpgsql stable as $$
declare passes boolean := true;
begin
    if auth.uid() is not null then passes := reader = auth.uid(); end if;
    return passes;
end $$;
create policy r on lib.loans for select using (lib.passes(reader_id));

-- policy_open | policy r on lib.loans | a helper of the same name for another type
create function lib.passes(reader uuid) returns boolean language sql stable as 'select reader = auth.uid()';
create function lib.passes(reader text) returns boolean language sql stable as 'select true';
create policy r on lib.loans for select using (lib.passes(reader_id::text));

-- policy_open | policy r on lib.loans | a row that is always there
create policy r on lib.loans for select using (exists (values (1)));

-- policy_open | policy r on lib.loans | whoever has a profile
alter table lib.cards rename to members;
alter table lib.readers rename to profiles;
create policy r on lib.loans for select using (exists (select from lib.profiles where id = auth.uid()));

-- policy_open | policy r on lib.loans | a setting that is empty
create policy r on lib.loans for select using (current_setting('lib.reader', true) in ('', reader_id::text));

-- policy_open | policy r on lib.loans | what is like an empty setting
create policy r on lib.loans for select using (reader_id::text like current_setting('lib.reader', true) || '%');

-- policy_open | policy r on lib.loans | what is like nobody
create policy r on lib.loans for select using (reader_id::text like coalesce(auth.uid()::text, '%'));

-- policy_open | policy r on lib.loans | whoever is signed in, as a role
create policy r on lib.loans for select using (pg_has_role('authenticated', 'member'));

-- policy_open | policy a on lib.loans | a wall for one command
create policy a on lib.loans using (true);
create policy wall on lib.loans as restrictive for select using (reader_id = auth.uid());
grant delete on lib.loans to authenticated;

-- mutable_claim | policy r on lib.loans | what the user edits, by a path
create policy r on lib.loans for select using (house_id::text = jsonb_extract_path_text(auth.jwt(), 'user_metadata', 'house'));

-- mutable_claim | policy r on lib.loans | what the user edits, by a subscript
create policy r on lib.loans for select using (house_id::text = (auth.jwt())['user_metadata'] ->> 'house');

-- mutable_claim | policy r on lib.loans | what the user edits, within the token
create policy r on lib.loans for select using (auth.jwt() @> '{"user_metadata": {"rank": "keeper"}}');

-- mutable_claim | policy r on lib.loans | what the user edits, by JSONPath
create policy r on lib.loans for select using (jsonb_path_exists(auth.jwt(), '$.user_metadata.rank ? (@ == "keeper")'));

-- policy_open | policy r on lib.loans | a view of everybody's memberships
create view lib.every_card as select house_id from lib.cards;
alter policy mine on lib.cards using (true);
create policy r on lib.loans for select using (house_id in (select house_id from lib.every_card));

-- policy_write_wider | policy u on lib.loans | rows given away by the one column that may be written
create policy r on lib.loans for select using (reader_id = auth.uid());
create policy u on lib.loans for update using (reader_id = auth.uid()) with check (true);
grant update (reader_id) on lib.loans to authenticated;
