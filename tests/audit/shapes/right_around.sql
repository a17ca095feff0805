-- an insert that asks for the parent
create policy r on lib.loans for select using (reader_id = auth.uid());
create policy r on lib.fines for select using (exists (select from lib.loans as l where l.id = loan_id and l.reader_id = auth.uid()));
create policy i on lib.fines for insert with check (exists (select from lib.loans as l where l.id = loan_id and l.reader_id = auth.uid()));
grant insert on lib.fines to authenticated;

-- a profile that its reader edits, but for the rank
create policy u on lib.readers for update to authenticated using (id = auth.uid());
create policy r on lib.loans for select using (exists (select from lib.readers as r where r.id = auth.uid() and r.rank = 'keeper'));
grant update (name) on lib.readers to authenticated;

-- a rank that a trigger keeps
create policy u on lib.readers for update to authenticated using (id = auth.uid());
create policy r on lib.loans for select using (exists (select from lib.readers as r where r.id = auth.uid() and r.rank = 'keeper'));
create function lib.keep() returns trigger language plpgsql as $$ begin new.rank := old.rank; return new; end $$;
create trigger keep before update on lib.readers for each row execute function lib.keep();
grant update on lib.readers to authenticated;

-- a view that asks itself
create policy r on lib.loans for select using (reader_id = auth.uid());
create view lib.my_loans as select * from lib.loans where reader_id = auth.uid();
grant select on lib.my_loans to authenticated;

-- a definer function that asks who acts
create policy r on lib.loans for select using (reader_id = auth.uid());
create function lib.give_back(loan uuid) returns void language sql security definer set search_path = ''
    as 'update lib.loans set returned_at = now() where id = loan and reader_id = auth.uid()';
grant execute on function lib.give_back(uuid) to authenticated;

-- a rank that is compared with what it was
create function lib.my_rank() returns text language sql stable security definer set search_path = ''
    as 'select r.rank from lib.readers as r where r.id = auth.uid()';
create policy u on lib.readers for update to authenticated
    using (id = auth.uid()) with check (id = auth.uid() and rank = lib.my_rank());
create policy r on lib.loans for select using (exists (select from lib.readers as r where r.id = auth.uid() and r.rank = 'keeper'));
grant update on lib.readers to authenticated;

-- friends, who were asked and said yes
create table lib.friends (
    asker_id uuid references lib.readers, asked_id uuid references lib.readers, said text not null default 'nothing',
    primary key (asker_id, asked_id)
);
alter table lib.friends enable row level security;
grant select, insert (asker_id, asked_id), update (said) on lib.friends to authenticated;
create policy r on lib.friends for select to authenticated using (auth.uid() in (asker_id, asked_id));
create policy i on lib.friends for insert to authenticated with check (asker_id = auth.uid() and said = 'nothing');
create policy u on lib.friends for update to authenticated using (asked_id = auth.uid());
create policy r on lib.loans for select using (reader_id = auth.uid() or exists (
    select from lib.friends as f where f.said = 'yes'
       and (f.asker_id = auth.uid() and f.asked_id = reader_id or f.asked_id = auth.uid() and f.asker_id = reader_id)
));

-- a text that is run, with what it is given quoted
create function lib.found(word text) returns setof lib.loans language plpgsql security definer set search_path = '' as $$
begin return query execute format('select * from lib.loans where reader_id = auth.uid() and title = %L', word); end $$;
grant execute on function lib.found(text) to authenticated;

-- a view of what a flag shows
reset role;
create role shown bypassrls;
grant usage, create on schema lib to shown;
grant select on lib.loans to shown;
create policy r on lib.loans for select to authenticated using (public or reader_id = auth.uid());
set local role shown;
create view lib.shown_loans as select id, title from lib.loans where public;
grant select on lib.shown_loans to authenticated;

-- a wish that somebody in the house grants
create table lib.wishes (id uuid primary key, house_id uuid not null, reader_id uuid not null references lib.readers, said text default 'asked');
alter table lib.wishes enable row level security;
create policy i on lib.wishes for insert to authenticated with check (reader_id = auth.uid() and said = 'asked');
create policy u on lib.wishes for update to authenticated
    using (exists (select from lib.cards as c where c.house_id = wishes.house_id and c.reader_id = auth.uid() and c.rank = 'keeper'));
create function lib.admit() returns trigger language plpgsql security definer set search_path = '' as $$
begin
    if new.said = 'granted' then
        insert into lib.cards (reader_id, house_id, rank) values (new.reader_id, new.house_id, 'reader');
    end if;
    return new;
end $$;
create trigger admit after update on lib.wishes for each row execute function lib.admit();
create policy r on lib.loans for select using (house_id in (select c.house_id from lib.cards as c where c.reader_id = auth.uid()));
grant insert, update on lib.wishes to authenticated;

-- a house whose maker is its first member, by a trigger
alter table lib.houses add maker_id uuid not null default auth.uid() references lib.readers;
create policy i on lib.houses for insert to authenticated with check (maker_id = auth.uid());
create function lib.first() returns trigger language plpgsql security definer set search_path = '' as $$
begin insert into lib.cards (reader_id, house_id, rank) values (new.maker_id, new.id, 'keeper'); return new; end $$;
create trigger first after insert on lib.houses for each row execute function lib.first();
create policy r on lib.loans for select using (house_id in (select c.house_id from lib.cards as c where c.reader_id = auth.uid()));
grant insert on lib.houses to authenticated;

-- an invitation that says as what one comes
create table lib.invitations (house_id uuid not null references lib.houses, mail text not null, rank text not null);
alter table lib.invitations enable row level security;
create policy r on lib.invitations for select to authenticated using (mail = auth.jwt() ->> 'email');
create policy i on lib.cards for insert to authenticated with check (
    reader_id = auth.uid() and exists (
        select from lib.invitations as v where v.house_id = cards.house_id and v.rank = cards.rank and v.mail = auth.jwt() ->> 'email'));
create policy d on lib.loans for delete to authenticated using (exists (
    select from lib.cards as c where c.house_id = loans.house_id and c.reader_id = auth.uid() and c.rank = 'keeper'));
grant insert on lib.cards to authenticated;
grant select on lib.invitations to authenticated;
grant delete on lib.loans to authenticated;

-- a list that somebody else keeps
create table lib.keepers (reader_id uuid primary key references lib.readers);
alter table lib.keepers enable row level security;
create policy r on lib.keepers for select using (reader_id = auth.uid());
create policy s on lib.loans for select using (exists (select from lib.keepers as k where k.reader_id = auth.uid()));
grant select on lib.keepers to authenticated;
create policy i on lib.keepers for insert to authenticated with check (exists (select from lib.keepers as k where k.reader_id = auth.uid()));
grant insert on lib.keepers to authenticated;

-- a view of one's own, which what is written must be
create policy r on lib.loans for select using (reader_id = auth.uid());
create view lib.my_loans as select id, reader_id, title from lib.loans where reader_id = auth.uid() with check option;
grant select, insert on lib.my_loans to authenticated;

-- a view of one's own that says not whose a row is
create policy r on lib.loans for select using (reader_id = auth.uid());
create view lib.my_loans as select id, title from lib.loans where reader_id = auth.uid();
grant select, update on lib.my_loans to authenticated;

-- a guard that stops whoever has no identity
create policy r on lib.loans for select using (reader_id = auth.uid());
create function lib.give_back(reader uuid) returns void language plpgsql security definer set search_path = '' as $$ begin
    if auth.uid() is null or reader <> auth.uid() then raise 'no'; end if;
    delete from lib.loans where reader_id = reader;
end $$;
grant execute on function lib.give_back to anon, authenticated;

-- a definer function that keeps who acts, and compares
create policy r on lib.loans for select using (reader_id = auth.uid());
create function lib.give_back(loan uuid) returns void language plpgsql security definer set search_path = '' as $$ declare reader uuid := auth.uid();
begin
    if reader is null then raise 'sign in'; end if;
    delete from lib.loans where id = loan and reader_id = reader;
end $$;
grant execute on function lib.give_back to authenticated;

-- a setting that is set to who is signed in
create policy r on lib.loans for select using (reader_id::text = current_setting('lib.reader', true));
create function lib.prepared() returns void language plpgsql as $$ begin perform set_config('lib.reader', auth.uid()::text, true); end $$;
grant execute on function lib.prepared to authenticated;

-- where somebody's rows lie on Citus, beside what decides
reset role; create schema app authorization maker; set local role maker;
create function app.shard_key(setting text default 'app.user_id') returns text language sql immutable
    set search_path = pg_catalog, pg_temp return nullif(current_setting(setting, true), '');
create policy r on lib.loans for select using (reader_id = auth.uid() and reader_id = app.shard_key()::uuid);

-- rules that write down, and that keep to the row
create policy r on lib.loans for select using (reader_id = auth.uid());
create policy i on lib.loans for insert with check (reader_id = auth.uid());
create table lib.log (reader_id uuid not null references lib.readers, title text);
alter table lib.log enable row level security;
create policy r on lib.log for select using (reader_id = auth.uid());
create rule log as on insert to lib.loans do also insert into lib.log values (new.reader_id, new.title);
create view lib.mine as select id, title from lib.loans where reader_id = auth.uid();
create rule edit as on update to lib.mine do instead update lib.loans set title = new.title where id = old.id;
grant insert on lib.loans to authenticated;
grant select, update on lib.mine to authenticated;
