-- policy_open | policy r on lib.loans | a member of any house
create policy r on lib.loans for select using ('keeper' in (select rank from lib.cards where reader_id = auth.uid()));

-- policy_open | policy r on lib.loans | the inner column on both sides
create policy r on lib.loans for select using (exists (select from lib.cards as c where c.reader_id = auth.uid() and c.house_id = house_id));

-- policy_open | policy r on lib.loans | whoever is on any list
create policy r on lib.loans for select using (exists (select from lib.cards as c where c.reader_id = auth.uid()));

-- policy_open | policy r on lib.loans | the identity or the row itself
create policy r on lib.loans for select using (coalesce(auth.uid(), reader_id) = reader_id);

-- policy_open | policy r on lib.loans | no identity is not distinct from none
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

-- self_promotion | lib.readers | a rank of one's own
create policy u on lib.readers for update to authenticated using (id = auth.uid());
create policy r on lib.loans for select using (exists (select from lib.readers as r where r.id = auth.uid() and r.rank = 'keeper'));
grant update on lib.readers to authenticated;

-- self_promotion | lib.cards | a membership of one's own making
create policy i on lib.cards for insert to authenticated with check (reader_id = auth.uid());
create policy r on lib.loans for select using (house_id in (select house_id from lib.cards where reader_id = auth.uid()));
grant insert on lib.cards to authenticated;

-- self_promotion | lib.cards | a member who edits every member's rank
create function lib.holds(house uuid) returns boolean language sql stable security definer set search_path = ''
    as 'select exists (select 1 from lib.cards as c where c.house_id = house and c.reader_id = auth.uid())';
create policy u on lib.cards for update to authenticated using (lib.holds(house_id));
create policy d on lib.loans for delete using (exists (select from lib.cards as c where c.house_id = loans.house_id and c.reader_id = auth.uid() and c.rank = 'keeper'));
grant update (rank) on lib.cards to authenticated;
grant delete on lib.loans to authenticated;

-- parent_unchecked | policy i on lib.fines | hung on another's row
alter table lib.fines add reader_id uuid not null references lib.readers;
create policy r on lib.loans for select using (reader_id = auth.uid());
create policy r on lib.fines for select using (exists (select from lib.loans as l where l.id = loan_id and l.reader_id = auth.uid()));
create policy i on lib.fines for insert with check (reader_id = auth.uid());
grant insert on lib.fines to authenticated;

-- rls_disabled | lib.fines | no row-level security
alter table lib.fines disable row level security;

-- grant_dangerous | lib.fines | TRUNCATE
grant truncate on lib.fines to authenticated;

-- publication | lib.fines | broadcast
alter table lib.fines disable row level security;
revoke all on lib.fines from authenticated;
reset role;
create publication supabase_realtime for table lib.fines;

-- rls_not_forced | lib.fines | the owner acts for users
create policy r on lib.fines to maker using (cents > 0);

-- view_definer | lib.every_loan | a view of the owner's
create policy r on lib.loans for select using (reader_id = auth.uid());
create view lib.every_loan as select * from lib.loans;
grant select on lib.every_loan to authenticated;

-- view_definer | lib.outer_loans | a view over one that nobody may read itself
create policy r on lib.loans for select using (reader_id = auth.uid());
create view inner_lib.every_loan as select * from lib.loans;
create view lib.outer_loans as select * from inner_lib.every_loan;
grant select on lib.outer_loans to authenticated;

-- view_definer | lib.people | the platform's users
reset role;
create view lib.people as select id, email from auth.users;
grant select on lib.people to authenticated;

-- relation_kind | lib.counts | a materialized view
create policy r on lib.loans for select using (reader_id = auth.uid());
create materialized view lib.counts as select reader_id, count(*) from lib.loans group by reader_id;
grant select on lib.counts to authenticated;

-- function_definer | function inner_lib.dump() | in a schema that nobody lists
create policy r on lib.loans for select using (reader_id = auth.uid());
create function inner_lib.dump() returns setof lib.loans language sql security definer set search_path = '' as 'select * from lib.loans';
grant usage on schema inner_lib to authenticated;
grant execute on function inner_lib.dump() to authenticated;

-- function_definer | function lib.enroll(uuid,uuid) | a guard that lets nobody pass
create function lib.enroll(house uuid, reader uuid) returns void language plpgsql security definer set search_path = '' as $$
begin
    if auth.uid() is not null and auth.uid() <> reader then raise 'no'; end if;
    insert into lib.cards values (reader, house, 'reader');
end $$;
grant execute on function lib.enroll(uuid, uuid) to anon, authenticated;

-- identity_settable | function lib.enter(text) | the tenant is the client's to choose
create policy r on lib.loans for select using (house_id = current_setting('lib.house', true)::uuid);
create function lib.enter(house text) returns void language sql as $$ select set_config('lib.house', house, false) $$;
grant execute on function lib.enter(text) to authenticated;

-- identity_immutable | function lib.me() | kept in plans
create function lib.me() returns uuid language sql immutable as 'select auth.uid()';
create policy r on lib.loans for select using (reader_id = lib.me());

-- signup_metadata | function lib.sign_up() | a rank that the client sends
create function lib.sign_up() returns trigger language plpgsql security definer set search_path = '' as $$
begin
    insert into lib.readers (id, rank) values (new.id, new.raw_user_meta_data ->> 'role');
    return new;
end $$;

-- function_leakproof | function lib.peek(text) | asked before policies
reset role;
create function lib.peek(word text) returns boolean language plpgsql leakproof as $$ begin raise notice '%', word; return true; end $$;
grant execute on function lib.peek(text) to authenticated;

-- mutable_claim | policy r on lib.loans | a header that whoever asks writes
create policy r on lib.loans for select using (reader_id = (current_setting('request.headers', true)::json ->> 'x-reader')::uuid);

-- mutable_claim | policy r on lib.loans | what a user wrote of themselves, in the account
create function lib.is_keeper() returns boolean language sql stable security definer set search_path = ''
    as $$ select exists (select from auth.users as u where u.id = auth.uid() and u.raw_user_meta_data ->> 'rank' = 'keeper') $$;
create policy r on lib.loans for select using (reader_id = auth.uid() or lib.is_keeper());

-- function_definer | function lib.report(text) | it runs the text that it is given
create function lib.report(query text) returns void language plpgsql security definer set search_path = '' as $$
begin execute query; end $$;
grant execute on function lib.report(text) to authenticated;

-- function_definer | function lib.sorted(text) | it runs a text with what it is given in it
create function lib.sorted(by text) returns setof lib.loans language plpgsql security definer set search_path = '' as $$
begin return query execute 'select * from lib.loans where reader_id = auth.uid() order by ' || by; end $$;
grant execute on function lib.sorted(text) to authenticated;

-- policy_open | policy r on lib.loans | whether it is somebody, not who
create policy r on lib.loans for select using (auth.uid() is not null);

-- policy_open | policy r on lib.loans | true where something fails
create function lib.may(house uuid) returns boolean language plpgsql stable as $$
begin return exists (select from lib.cards as c where c.house_id = house and c.reader_id = auth.uid());
exception when others then return true; end $$;
create policy r on lib.loans for select using (lib.may(house_id));

-- policy_open | policy r on lib.loans | a column that opens a row beside its reader
create policy r on lib.loans for select using (reader_id = auth.uid() or title <> '');

-- self_promotion | lib.readers | a rank in a row that its reader makes and changes
create policy i on lib.readers for insert to authenticated with check (id = auth.uid() and rank = 'reader');
create policy u on lib.readers for update to authenticated using (id = auth.uid());
create policy r on lib.loans for select using (exists (select from lib.readers as r where r.id = auth.uid() and r.rank = 'keeper'));
grant insert, update on lib.readers to authenticated;

-- policy_open | policy r on lib.loans | a column that is never empty, and so opens every row
create policy r on lib.loans for select using (reader_id = auth.uid() or house_id is not null);

-- policy_open | policy r on lib.loans | a helper that only finds the row itself
create function lib.sees(loan uuid, reader uuid) returns boolean language sql stable security definer set search_path = ''
    as 'select exists (select from lib.loans as l where l.id = loan)';
create policy r on lib.loans for select using (lib.sees(id, auth.uid()));

-- parent_unchecked | policy i on lib.notices | put under whichever house one likes
create table lib.notices (id uuid primary key, house_id uuid not null, author_id uuid not null references lib.readers, body text);
alter table lib.notices enable row level security;
create policy r on lib.notices for select to authenticated
    using (house_id in (select c.house_id from lib.cards as c where c.reader_id = auth.uid()));
create policy i on lib.notices for insert to authenticated with check (author_id = auth.uid());
grant select, insert on lib.notices to authenticated;

-- view_definer | lib.every_loan | a view of what a flag hides, without the flag
reset role;
create role shown bypassrls;
grant usage, create on schema lib to shown;
grant select on lib.loans to shown;
create policy r on lib.loans for select to authenticated using (public or reader_id = auth.uid());
set local role shown;
create view lib.every_loan as select id, title from lib.loans;
grant select on lib.every_loan to authenticated;

-- self_promotion | lib.cards | an invitation that does not say as what one comes
create table lib.invitations (house_id uuid not null references lib.houses, mail text not null, rank text not null);
alter table lib.invitations enable row level security;
create policy r on lib.invitations for select to authenticated using (mail = auth.jwt() ->> 'email');
create policy i on lib.cards for insert to authenticated with check (
    reader_id = auth.uid() and exists (
        select from lib.invitations as v where v.house_id = cards.house_id and v.mail = auth.jwt() ->> 'email'));
create policy d on lib.loans for delete to authenticated using (exists (
    select from lib.cards as c where c.house_id = loans.house_id and c.reader_id = auth.uid() and c.rank = 'keeper'));
grant insert on lib.cards to authenticated;
grant select on lib.invitations to authenticated;
grant delete on lib.loans to authenticated;

-- self_promotion | lib.wishes | a trigger that takes whoever asks into any house
create table lib.wishes (id uuid primary key, house_id uuid not null, reader_id uuid not null references lib.readers);
alter table lib.wishes enable row level security;
create policy i on lib.wishes for insert to authenticated with check (reader_id = auth.uid());
create function lib.admit() returns trigger language plpgsql security definer set search_path = '' as $$
begin insert into lib.cards (reader_id, house_id, rank) values (new.reader_id, new.house_id, 'reader'); return new; end $$;
create trigger admit after insert on lib.wishes for each row execute function lib.admit();
create policy r on lib.loans for select using (house_id in (select c.house_id from lib.cards as c where c.reader_id = auth.uid()));
grant insert on lib.wishes to authenticated;

-- self_promotion | lib.readers | a trigger that makes of a wish a rank
alter table lib.readers add wished text;
create policy u on lib.readers for update to authenticated using (id = auth.uid());
create function lib.take() returns trigger language plpgsql as $$
begin if new.wished is not null then new.rank := new.wished; end if; return new; end $$;
create trigger take before update on lib.readers for each row execute function lib.take();
create policy r on lib.loans for select using (exists (select from lib.readers as r where r.id = auth.uid() and r.rank = 'keeper'));
grant update (name, wished) on lib.readers to authenticated;

-- policy_open | policy r on lib.loans | whether anybody is a keeper
create function lib.has_keeper() returns boolean language sql stable security definer set search_path = ''
    as $$ select exists (select from lib.readers as r where r.rank = 'keeper') $$;
create policy r on lib.loans for select using (reader_id = auth.uid() or lib.has_keeper());

-- policy_open | policy r on lib.loans | an address that is like any
create policy r on lib.loans for select using (reader_id = auth.uid() or auth.jwt() ->> 'email' like '%@%');

-- view_definer | lib.every_loan | a view that asks whether there is anybody
create policy r on lib.loans for select using (reader_id = auth.uid());
create view lib.every_loan as select id, title from lib.loans where auth.uid() is not null;
grant select on lib.every_loan to authenticated;

-- policy_open | policy i on lib.fines | anybody adds to what is somebody's
create policy r on lib.loans for select using (reader_id = auth.uid());
create policy i on lib.fines for insert with check (true);
grant insert on lib.fines to authenticated;

-- policy_recursion | policy r on lib.cards | itself through a function that runs as its caller
create function lib.holds(house uuid) returns boolean language sql stable
    as 'select exists (select 1 from lib.cards as c where c.house_id = house and c.reader_id = auth.uid())';
drop policy mine on lib.cards;
create policy r on lib.cards for select to authenticated using (lib.holds(house_id));
