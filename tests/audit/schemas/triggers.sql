-- A definer trigger that keeps a journal nobody is granted, generated columns, a domain as key, a closed table.
set local userscope.audit_schemas = 'ledger';
set local userscope.audit_private_schemas = 'ledger_journal';
set local userscope.audit_service_roles = 'ledger_app';
set local userscope.audit_provider_roles = 'none';
set local userscope.audit_identity = 'ledger.holder()';
set local userscope.audit_definer_functions = 'none';

create schema ledger;
create schema ledger_journal;
create role ledger_app;
grant usage on schema ledger to ledger_app;
create domain ledger.holder_id as char(8) check (value ~ '^[A-Z0-9]{8}$');
create function ledger.holder() returns ledger.holder_id language sql stable return current_setting('ledger.holder', true)::ledger.holder_id;
create table ledger_journal.entries (id bigint generated always as identity, line text);
create function ledger.write() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$ begin insert into ledger_journal.entries (line) values (new::text); return new; end $$;
revoke all on function ledger.holder(), ledger.write() from public;
grant execute on function ledger.holder() to ledger_app;

create table ledger.holders (id ledger.holder_id primary key);
create table ledger.bookings (
    holder ledger.holder_id not null references ledger.holders on delete cascade, number int, cents int,
    euros numeric generated always as (cents / 100.0) stored, primary key (holder, number)
);
create table ledger.rates (day date primary key, rate numeric);
create trigger journal after insert on ledger.bookings for each row execute function ledger.write();
alter table ledger.holders enable row level security, force row level security, alter id set statistics 0;
alter table ledger.bookings enable row level security, force row level security, alter holder set statistics 0,
    alter number set statistics 0, alter cents set statistics 0, alter euros set statistics 0;
alter table ledger.rates enable row level security, force row level security;
create policy own on ledger.holders for select to ledger_app using (id = (select ledger.holder()));
create policy own on ledger.bookings for select to ledger_app using (holder = (select ledger.holder()) and (cents > 0 or number < 10));
create policy book on ledger.bookings for insert to ledger_app with check (holder = (select ledger.holder()));
grant select (id) on ledger.holders to ledger_app;
grant select (holder, number, cents, euros), insert (number, cents) on ledger.bookings to ledger_app;
