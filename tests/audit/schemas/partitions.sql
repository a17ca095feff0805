-- Measurements by month: partitions that nobody can name, and a default one.
set local userscope.audit_schemas = 'metrics';
set local userscope.audit_private_schemas = 'none';
set local userscope.audit_service_roles = 'metrics_api';
set local userscope.audit_provider_roles = 'none';
set local userscope.audit_identity = 'metrics.device()';
set local userscope.audit_definer_functions = 'none';

create schema metrics;
create role metrics_api;
grant usage on schema metrics to metrics_api;
create function metrics.device() returns text language sql stable return current_setting('metrics.device', true);
revoke all on function metrics.device() from public;
grant execute on function metrics.device() to metrics_api;

create table metrics.devices (serial text primary key);
create table metrics.readings (
    device text not null references metrics.devices on delete cascade, taken date not null, value numeric,
    primary key (device, taken)
) partition by range (taken);
create table metrics.readings_2026 partition of metrics.readings for values from ('2026-01-01') to ('2027-01-01');
create table metrics.readings_rest partition of metrics.readings default;
alter table metrics.devices enable row level security, force row level security, alter serial set statistics 0;
alter table metrics.readings enable row level security, force row level security;
alter table metrics.readings alter device set statistics 0, alter taken set statistics 0, alter value set statistics 0;
create policy own on metrics.devices for select to metrics_api using (serial = (select metrics.device()));
create policy own on metrics.readings for select to metrics_api using (device = (select metrics.device()) and taken > '2020-01-01');
create policy add on metrics.readings for insert to metrics_api with check (device = (select metrics.device()));
grant select (serial) on metrics.devices to metrics_api;
grant select (device, taken, value), insert (taken, value) on metrics.readings to metrics_api;
