-- A business with numbered tenants: a bigint key, a helper in SQL that reads a setting, no identity provider.
-- Told: index_aimed | index crm.customers_pkey
set local userscope.audit_schemas = 'crm';
set local userscope.audit_private_schemas = 'none';
set local userscope.audit_service_roles = 'crm_web';
set local userscope.audit_provider_roles = 'none';
set local userscope.audit_identity = 'crm.tenant()';
set local userscope.audit_definer_functions = 'none';

create schema crm;
create role crm_web;
grant usage on schema crm to crm_web;
create function crm.tenant() returns bigint language sql stable return nullif(current_setting('crm.tenant', true), '')::bigint;
revoke all on function crm.tenant() from public;
grant execute on function crm.tenant() to crm_web;

create table crm.tenants (id bigint primary key, name text);
create table crm.customers (
    id bigint generated always as identity primary key,
    tenant_id bigint not null default crm.tenant() references crm.tenants on delete cascade,
    name text
);
create index on crm.customers (tenant_id, name);
alter table crm.tenants enable row level security, force row level security, alter id set statistics 0, alter name set statistics 0;
alter table crm.customers enable row level security, force row level security,
    alter id set statistics 0, alter tenant_id set statistics 0, alter name set statistics 0;
create policy one on crm.tenants for select to crm_web using ((select crm.tenant()) = id);
create policy everything on crm.customers to crm_web using (tenant_id = (select crm.tenant()));
grant select (id, name) on crm.tenants to crm_web;
grant select (id, name), insert (name), update (name), delete on crm.customers to crm_web;
