-- view_definer | lib.ranked | a view that shows beside every row what is the reader's
create policy r on lib.loans for select using (reader_id = auth.uid());
create view lib.ranked as select l.title, case when l.reader_id = auth.uid() then 'mine' else 'not mine' end as whose,
    (select c.rank from lib.cards as c where c.house_id = l.house_id and c.reader_id = auth.uid()) from lib.loans as l;
grant select on lib.ranked to authenticated;

-- view_definer | lib.counted | a view that counts what is the reader's, beside all
create policy r on lib.loans for select using (reader_id = auth.uid());
create view lib.counted as select count(*) as every, count(*) filter (where reader_id = auth.uid()) as mine from lib.loans;
grant select on lib.counted to authenticated;

-- function_definer | function lib.ranked() | it says of every row whether it is the caller's
create policy r on lib.loans for select using (reader_id = auth.uid());
create function lib.ranked() returns table (title text, mine boolean) language sql security definer set search_path = ''
    as 'select title, reader_id = auth.uid() from lib.loans';
grant execute on function lib.ranked to authenticated;

-- function_definer | function lib.shown() | it names what it shows first of several
create policy r on lib.loans for select using (reader_id = auth.uid());
create policy r on lib.houses for select using (true);
create function lib.shown() returns setof text language sql security definer set search_path = ''
    begin atomic select l.title from lib.loans as l join lib.houses as h on l.house_id = h.id; end;
grant execute on function lib.shown to authenticated;

-- function_definer | function lib.shown() | it names what it shows last of several
create policy r on lib.loans for select using (reader_id = auth.uid());
create policy r on lib.houses for select using (true);
create function lib.shown() returns setof text language sql security definer set search_path = ''
    as 'select l.title from lib.houses as h, lib.loans as l where l.house_id = h.id';
grant execute on function lib.shown to authenticated;

-- rule_definer | rule leak on lib.fines | a rule that copies what is hidden to where it is read
create policy r on lib.loans for select using (reader_id = auth.uid());
create policy r on lib.houses for select using (true);
create policy i on lib.fines for insert with check (loan_id in (select id from lib.loans where reader_id = auth.uid()));
create rule leak as on insert to lib.fines do also insert into lib.houses (id, name) select id, title from lib.loans;
grant insert on lib.fines to authenticated;

-- rule_definer | rule leak on lib.door | a rule that answers with what is hidden
create policy r on lib.loans for select using (reader_id = auth.uid());
create view lib.door with (security_invoker = true) as select 1 as id;
create rule leak as on insert to lib.door do instead select * from lib.loans;
grant insert on lib.door to authenticated;

-- rule_definer | rule edit on lib.mine | a rule that writes the row that it is told
create policy r on lib.loans for select using (reader_id = auth.uid());
create view lib.mine as select id, title from lib.loans where reader_id = auth.uid();
create rule edit as on update to lib.mine do instead update lib.loans set title = new.title where id = new.id;
grant update on lib.mine to authenticated;

-- rule_definer | rule tells on lib.houses | a rule that does nothing where there is one
create policy r on lib.loans for select using (reader_id = auth.uid());
create policy i on lib.houses for insert to authenticated with check (not open);
create rule tells as on insert to lib.houses where exists (select from lib.loans as l where l.title = new.name) do instead nothing;
grant insert on lib.houses to authenticated;
