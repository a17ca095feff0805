-- Each team owns its tables, and none of them is a service.
-- Told: owner_bound | billing.invoices
set local userscope.audit_schemas = 'billing, support';
set local userscope.audit_private_schemas = 'none';
set local userscope.audit_service_roles = 'portal';
set local userscope.audit_provider_roles = 'desk';
set local userscope.audit_identity = 'support.customer()';
set local userscope.audit_definer_functions = 'none';

create role billing_team;
create role support_team bypassrls;
create schema billing authorization billing_team;
create schema support authorization support_team;
create role portal;
create role desk;
grant usage on schema billing, support to portal;
grant usage on schema support to desk;
create function support.customer() returns int language sql stable return current_setting('portal.customer', true)::int;
alter function support.customer() owner to support_team;
revoke all on function support.customer() from public;
grant execute on function support.customer() to portal;

create table support.customers (id int primary key, email text);
create table billing.invoices (customer int not null references support.customers on delete cascade, number int, primary key (customer, number));
alter table support.customers owner to support_team;
alter table billing.invoices owner to billing_team;
alter table support.customers enable row level security, force row level security, alter id set statistics 0, alter email set statistics 0;
alter table billing.invoices enable row level security, force row level security, alter customer set statistics 0, alter number set statistics 0;
create policy own on support.customers for select to portal using (id = (select support.customer()));
create policy desk on support.customers for select to desk using (true);
create policy own on billing.invoices for select to portal using (customer = (select support.customer()));
grant select (id, email) on support.customers to portal, desk;
grant select (customer, number) on billing.invoices to portal;
