-- by IN, of memberships
create policy r on lib.loans for select using (house_id in (select c.house_id from lib.cards as c where c.reader_id = (select auth.uid())));

-- by ANY of an array of memberships
create policy r on lib.loans for select using (house_id = any (array(select house_id from lib.cards where reader_id = auth.uid())));

-- by an aggregate of memberships
create policy r on lib.loans for select using (house_id = any ((select array_agg(house_id) from lib.cards where reader_id = auth.uid())::uuid[]));

-- by EXISTS over a join
create policy r on lib.fines for select using (exists (
    select from lib.loans as l join lib.cards as c using (house_id) where l.id = fines.loan_id and c.reader_id = (select auth.uid())));

-- by the identity among members
create policy r on lib.loans for select using (auth.uid() in (select reader_id from lib.cards where cards.house_id = loans.house_id));

-- by a comparison within a sub-select
create policy r on lib.loans for select using ((select auth.uid() = loans.reader_id));

-- by a scalar sub-select
create policy r on lib.fines for select using ((select l.reader_id from lib.loans as l where l.id = loan_id) = auth.uid());

-- by a count of memberships
create policy r on lib.loans for select using ((select count(*) from lib.cards as c where c.house_id = loans.house_id and c.reader_id = auth.uid()) > 0);

-- by UNION of two ways
create policy r on lib.loans for select using (house_id in (
    select house_id from lib.cards where reader_id = auth.uid() union
    select house_id from lib.cards where reader_id = (auth.jwt() ->> 'sub')::uuid and rank = 'keeper'));

-- by WITH
create policy r on lib.loans for select using (house_id in (with mine as (select * from lib.cards where reader_id = auth.uid()) select house_id from mine));

-- by an array in the row
create policy r on lib.loans for select using (auth.uid() = any (helpers) or helpers @> array[auth.uid()]);

-- by the parent's own policies
create policy r on lib.loans for select using (reader_id = auth.uid());
create policy r on lib.fines for select using (exists (select from lib.loans where loans.id = loan_id));

-- by a wall
create policy wall on lib.loans as restrictive to authenticated using (reader_id = auth.uid());
create policy r on lib.loans for select to authenticated using (returned_at is null);

-- by a helper in SQL
create function lib.holds(house uuid) returns boolean language sql stable security definer set search_path = ''
    as 'select exists (select 1 from lib.cards as c where c.house_id = house and c.reader_id = auth.uid())';
create policy r on lib.loans for select using (lib.holds(house_id));

-- by a helper that returns the identity's houses
create function lib.my_houses() returns setof uuid language sql stable security definer set search_path = ''
    as 'select house_id from lib.cards where reader_id = auth.uid()';
create policy r on lib.loans for select using (house_id in (select lib.my_houses()));

-- by a helper in PL/pgSQL with IF and a variable
create function lib.rank_in(house uuid) returns text language plpgsql stable security definer set search_path = '' as $$
declare found_rank text;
begin
    if auth.uid() is null then return null; end if;
    select c.rank into found_rank from lib.cards as c where c.house_id = house and c.reader_id = auth.uid();
    return found_rank;
end $$;
create policy r on lib.loans for select using (lib.rank_in(house_id) in ('keeper', 'owner'));

-- by a helper whose answer is compared with true
create function lib.holds(house uuid, wanted text default null) returns boolean language sql stable security definer set search_path = ''
    as 'select exists (select 1 from lib.cards as c where c.house_id = house and c.reader_id = auth.uid() and (wanted is null or c.rank = wanted))';
create policy r on lib.loans for select using (lib.holds(house_id) = true);

-- by an administrator's row
create function lib.is_rank(who uuid, wanted text) returns boolean language sql stable security definer set search_path = ''
    as 'select exists (select 1 from lib.readers as r where r.id = who and r.rank = wanted)';
create policy r on lib.loans for select using (reader_id = auth.uid() or lib.is_rank(auth.uid(), 'keeper'));

-- by a claim that the server writes
create policy r on lib.loans for select using (house_id::text = auth.jwt() -> 'app_metadata' ->> 'house');

-- by CASE
create policy r on lib.loans for select using (case when public then reader_id = auth.uid() else reader_id = auth.uid() and returned_at is null end);

-- for the platform's own role alone
create policy r on lib.loans using (auth.role() = 'service_role');
grant insert, update, delete on lib.loans to authenticated;

-- a policy for everybody on a list that nobody owns
create policy r on lib.houses for select using (true);

-- rows that say of themselves that they are public
create policy r on lib.loans for select using (public or reader_id = auth.uid());

-- an identity of another platform's, in the schema of this one's
reset role;
create function auth.user_id() returns text language sql stable as $$ select auth.jwt() ->> 'sub' $$;
grant execute on function auth.user_id() to maker, authenticated;
set local role maker;
create policy r on lib.loans for select using ((select auth.user_id() = reader_id::text));

-- houses as a list in a claim that the server writes
create policy r on lib.loans for select using ((select auth.jwt() -> 'app_metadata' -> 'houses') ? house_id::text);
create policy d on lib.loans for delete using (house_id::text in (select jsonb_array_elements_text(auth.jwt() -> 'app_metadata' -> 'houses')));
grant delete on lib.loans to authenticated;

-- by what is not distinct, where somebody is
create policy r on lib.loans for select using (reader_id is not distinct from auth.uid());
create policy s on lib.loans for select using (auth.uid() is not null and helpers[1] is not distinct from auth.uid());

-- by an answer that is not distinct from yes
create policy r on lib.loans for select using ((reader_id = auth.uid()) is not distinct from true);

-- by a column that is never null
create policy r on lib.loans for select using (reader_id is null or reader_id = auth.uid());

-- by NULLIF
create policy r on lib.loans for select using (nullif(reader_id, auth.uid()) is null);

-- by a CASE that gives a number
create policy r on lib.loans for select using ((case when reader_id = auth.uid() then 1 else 0 end) = 1);

-- by a count that is not none
create policy r on lib.loans for select using ((select count(*) from lib.cards as c where c.house_id = loans.house_id and c.reader_id = auth.uid()) <> 0);

-- by a wall for each command
create policy a on lib.loans using (true);
create policy s on lib.loans as restrictive for select using (reader_id = auth.uid());
create policy i on lib.loans as restrictive for insert with check (reader_id = auth.uid());
create policy u on lib.loans as restrictive for update using (reader_id = auth.uid());
create policy d on lib.loans as restrictive for delete using (reader_id = auth.uid());
grant insert, update, delete on lib.loans to authenticated;

-- by one of two helpers of the same name
create function lib.passes(reader text) returns boolean language sql stable as 'select true';
create function lib.passes(reader uuid) returns boolean language sql stable as 'select reader = auth.uid()';
create policy r on lib.loans for select using (lib.passes(reader_id));

-- by a variable that a helper returns
create function lib.holds(house uuid) returns boolean language plpgsql stable security definer set search_path = '' as $$
declare passes boolean;
begin
    select exists (select from lib.cards as c where c.house_id = house and c.reader_id = auth.uid()) into passes;
    if not passes then raise 'no'; end if;
    return passes;
end $$;
create policy r on lib.loans for select using (lib.holds(house_id));

-- by a rank that is asked for whether it is there
create function lib.keeps(house uuid) returns boolean language plpgsql stable security definer set search_path = '' as $$
declare found_rank text;
begin
    select c.rank into found_rank from lib.cards as c where c.house_id = house and c.reader_id = auth.uid();
    if found_rank is null or found_rank is distinct from 'keeper' then return false; end if;
    return true;
end $$;
create policy r on lib.loans for select using (lib.keeps(house_id));

-- by a claim of the server's, by other ways to write a path
create policy r on lib.loans for select using (house_id::text = jsonb_extract_path_text(auth.jwt(), 'app_metadata', 'house'));
create policy s on lib.loans for select using (house_id::text = (auth.jwt())['app_metadata'] ->> 'house');

-- by a view of one's own memberships
create view lib.my_cards with (security_invoker = true) as select house_id, rank from lib.cards where reader_id = auth.uid();
create policy r on lib.loans for select using (exists (select from lib.my_cards as v where v.house_id = loans.house_id and v.rank = 'keeper'));

-- by USING alone, where nobody may write whose a row is
create policy r on lib.loans for select using (reader_id = auth.uid());
create policy u on lib.loans for update using (reader_id = auth.uid()) with check (true);
grant update (title) on lib.loans to authenticated;

-- rows that say of themselves that they are public, and are still there
alter table lib.loans add deleted_at timestamptz;
create policy r on lib.loans for select using (reader_id = auth.uid() or public and deleted_at is null);

-- by a row that a helper must find
create function lib.holds(house uuid) returns boolean language plpgsql stable security definer set search_path = '' as $$
declare found_rank text;
begin
    select c.rank into strict found_rank from lib.cards as c where c.house_id = house and c.reader_id = auth.uid();
    return true;
exception when no_data_found then return false;
end $$;
create policy r on lib.loans for select using (lib.holds(house_id));
