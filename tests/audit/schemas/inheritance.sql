-- Tables that inherit, one of them protected for itself.
set local userscope.audit_schemas = 'fleet';
set local userscope.audit_private_schemas = 'none';
set local userscope.audit_service_roles = 'fleet_api';
set local userscope.audit_provider_roles = 'none';
set local userscope.audit_identity = 'fleet.driver()';
set local userscope.audit_definer_functions = 'none';

create schema fleet;
create role fleet_api;
grant usage on schema fleet to fleet_api;
create function fleet.driver() returns smallint language sql stable return current_setting('fleet.driver', true)::smallint;
revoke all on function fleet.driver() from public;
grant execute on function fleet.driver() to fleet_api;

create table fleet.drivers (id smallint primary key);
create table fleet.trips (driver smallint not null references fleet.drivers on delete cascade, km int);
create table fleet.old_trips () inherits (fleet.trips);
create table fleet.long_trips (driver smallint not null references fleet.drivers on delete cascade) inherits (fleet.trips);
create index on fleet.trips (driver);
create index on fleet.long_trips (driver);
alter table fleet.drivers enable row level security, force row level security, alter id set statistics 0;
alter table fleet.trips enable row level security, force row level security, alter driver set statistics 0, alter km set statistics 0;
alter table fleet.long_trips enable row level security, force row level security, alter driver set statistics 0, alter km set statistics 0;
create policy own on fleet.drivers for select to fleet_api using (id = (select fleet.driver()));
create policy own on fleet.trips for select to fleet_api using (driver = (select fleet.driver()));
create policy own on fleet.long_trips for select to fleet_api using (driver = (select fleet.driver()));
grant select (id) on fleet.drivers to fleet_api;
grant select (driver, km) on fleet.trips, fleet.long_trips to fleet_api;
