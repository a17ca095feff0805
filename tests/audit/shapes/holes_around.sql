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

-- rls_disabled | lib.schema_migrations | a migration tool's own
create table lib.schema_migrations (version text);
grant select on lib.schema_migrations to authenticated;

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

-- function_definer | function lib.report(text) | it runs the text that it is given
create function lib.report(query text) returns void language plpgsql security definer set search_path = '' as $$
begin execute query; end $$;
grant execute on function lib.report(text) to authenticated;

-- function_definer | function lib.sorted(text) | it runs a text with what it is given in it
create function lib.sorted(by text) returns setof lib.loans language plpgsql security definer set search_path = '' as $$
begin return query execute 'select * from lib.loans where reader_id = auth.uid() order by ' || by; end $$;
grant execute on function lib.sorted(text) to authenticated;

-- self_promotion | lib.readers | a rank in a row that its reader makes and changes
create policy i on lib.readers for insert to authenticated with check (id = auth.uid() and rank = 'reader');
create policy u on lib.readers for update to authenticated using (id = auth.uid());
create policy r on lib.loans for select using (exists (select from lib.readers as r where r.id = auth.uid() and r.rank = 'keeper'));
grant insert, update on lib.readers to authenticated;

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

-- view_definer | lib.every_loan | a view that asks whether there is anybody
create policy r on lib.loans for select using (reader_id = auth.uid());
create view lib.every_loan as select id, title from lib.loans where auth.uid() is not null;
grant select on lib.every_loan to authenticated;

-- self_promotion | lib.keepers | a list on which everybody puts themselves
create table lib.keepers (reader_id uuid primary key references lib.readers);
alter table lib.keepers enable row level security;
create policy r on lib.keepers for select using (reader_id = auth.uid());
create policy s on lib.loans for select using (exists (select from lib.keepers as k where k.reader_id = auth.uid()));
grant select on lib.keepers to authenticated;
create policy i on lib.keepers for insert to authenticated with check (reader_id = auth.uid());
grant insert on lib.keepers to authenticated;

-- grant_dangerous | lib.fines | REFERENCES on a column
grant references (id) on lib.fines to authenticated;

-- view_definer | lib.my_loans | a view of one's own, through which one writes what is another's
create policy r on lib.loans for select using (reader_id = auth.uid());
create view lib.my_loans as select id, reader_id, title from lib.loans where reader_id = auth.uid();
grant select, insert on lib.my_loans to authenticated;

-- view_definer | lib.people | the platform's users, whom everybody may read
reset role;
grant select on auth.users to authenticated;
create view lib.people with (security_invoker = true) as select id, email from auth.users;
grant select on lib.people to authenticated;

-- function_definer | function lib.empty() | it empties a table
create policy r on lib.loans for select using (reader_id = auth.uid());
create function lib.empty() returns void language sql security definer set search_path = '' as 'truncate lib.loans';
grant execute on function lib.empty to authenticated;

-- function_definer | function lib.merged(uuid) | it merges
create policy r on lib.loans for select using (reader_id = auth.uid());
create function lib.merged(reader uuid) returns void language sql security definer set search_path = '' as 'merge into lib.loans as l using (select 1) as x on l.reader_id = reader when matched then delete';
grant execute on function lib.merged to authenticated;

-- function_definer | function lib.give_back(uuid) | it asks only whether somebody is signed in
create policy r on lib.loans for select using (reader_id = auth.uid());
create function lib.give_back(loan uuid) returns void language plpgsql security definer set search_path = '' as $$ begin
    if auth.uid() is null then raise 'sign in'; end if;
    delete from lib.loans where id = loan;
end $$;
grant execute on function lib.give_back to authenticated;

-- function_definer | function lib.give_back(uuid) | it keeps who is signed in, and asks no more
create policy r on lib.loans for select using (reader_id = auth.uid());
create function lib.give_back(loan uuid) returns void language plpgsql security definer set search_path = '' as $$ declare reader uuid := auth.uid();
begin
    if reader is null then raise 'sign in'; end if;
    delete from lib.loans where id = loan;
end $$;
grant execute on function lib.give_back to authenticated;

-- function_definer | function lib.give_back(uuid) | who has no identity is not another
create policy r on lib.loans for select using (reader_id = auth.uid());
create function lib.give_back(reader uuid) returns void language plpgsql security definer set search_path = '' as $$ begin
    if reader <> auth.uid() then raise 'no'; end if;
    delete from lib.loans where reader_id = reader;
end $$;
grant execute on function lib.give_back to anon, authenticated;

-- function_definer | function lib.shown() | by another, which nobody may call
create policy r on lib.loans for select using (reader_id = auth.uid());
create function lib.dump() returns setof lib.loans language sql security definer set search_path = '' as 'select * from lib.loans';
create function lib.shown() returns setof lib.loans language sql security definer set search_path = '' as 'select * from lib.dump()';
grant execute on function lib.shown to authenticated;

-- function_definer | function lib.shown() | by a view that nobody may read
create policy r on lib.loans for select using (reader_id = auth.uid());
create view lib.every_loan as select * from lib.loans;
create function lib.shown() returns setof lib.every_loan language sql security definer set search_path = '' as 'select * from lib.every_loan';
grant execute on function lib.shown to authenticated;

-- function_search_path | function lib.mine() | names that a service may give to its own
create policy r on lib.loans for select using (reader_id = auth.uid());
create function lib.mine() returns setof lib.loans language sql security definer set search_path = lib, pg_temp as 'select * from loans where reader_id = auth.uid()';
grant execute on function lib.mine to authenticated;
grant create on schema lib to authenticated;

-- identity_settable | function lib.sign_in(uuid) | the claims themselves
create function lib.sign_in(reader uuid) returns void language plpgsql as $$
begin perform set_config('request.jwt.claims', json_build_object('sub', reader)::text, true); end $$;
grant execute on function lib.sign_in to authenticated;

-- identity_settable | function lib.enter(text,text) | whichever setting one likes
create policy r on lib.loans for select using (house_id = current_setting('lib.house', true)::uuid);
create function lib.enter(setting text, house text) returns text language sql as 'select set_config(setting, house, false)';
grant execute on function lib.enter to authenticated;

-- identity_settable | function lib.enter(text) | by SET
create policy r on lib.loans for select using (house_id = current_setting('lib.house', true)::uuid);
create function lib.enter(house text) returns void language plpgsql as $$ begin execute format('set lib.house = %L', house); end $$;
grant execute on function lib.enter to authenticated;

-- identity_immutable | function lib.is_rank(text) | kept in plans, with the constant that it is asked with
create function lib.is_rank(wanted text) returns boolean language sql immutable as $$ select auth.jwt() ->> 'rank' = wanted $$;
create policy r on lib.loans for select using (reader_id = auth.uid() and lib.is_rank('keeper'));

-- signup_metadata | function lib.sign_up() | a rank that the client sends, by a path
create function lib.sign_up() returns trigger language plpgsql security definer set search_path = '' as $$
begin
    insert into lib.readers (id, rank) values (new.id, new.raw_user_meta_data #>> '{role}');
    return new;
end $$;

-- signup_metadata | function lib.sign_up() | a rank that the client sends, by a variable
create function lib.sign_up() returns trigger language plpgsql security definer set search_path = '' as $$
declare sent jsonb := new.raw_user_meta_data;
begin
    insert into lib.readers (id, rank) values (new.id, sent ->> 'role');
    return new;
end $$;

-- role_bypass | role authenticated | a service above row-level security
reset role;
alter role authenticated bypassrls;
