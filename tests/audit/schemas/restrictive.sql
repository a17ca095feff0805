-- One wall for everybody, a restrictive policy, and permissive ones that say which commands there are.
set local userscope.audit_schemas = 'clinic';
set local userscope.audit_private_schemas = 'none';
set local userscope.audit_service_roles = 'clinic_app';
set local userscope.audit_provider_roles = 'none';
set local userscope.audit_identity = 'clinic.patient()';
set local userscope.audit_definer_functions = 'none';

create schema clinic;
create role clinic_app;
grant usage on schema clinic to clinic_app;
create function clinic.patient() returns uuid language sql stable return current_setting('clinic.patient', true)::uuid;
revoke all on function clinic.patient() from public;
grant execute on function clinic.patient() to clinic_app;

create table clinic.visits (patient uuid not null, id int, reason text, primary key (patient, id));
alter table clinic.visits enable row level security, force row level security,
    alter patient set statistics 0, alter id set statistics 0, alter reason set statistics 0;
create policy wall on clinic.visits as restrictive to clinic_app
    using (patient = (select clinic.patient())) with check (patient = (select clinic.patient()));
create policy reading on clinic.visits for select to clinic_app using (true);
create policy writing on clinic.visits for update to clinic_app using (reason <> 'closed') with check (true);
grant select (patient, id, reason), update (reason) on clinic.visits to clinic_app;
