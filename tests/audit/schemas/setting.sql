-- The identity is a setting, named as it stands in the policies, and compared with a cast.
set local userscope.audit_schemas = 'notes';
set local userscope.audit_private_schemas = 'none';
set local userscope.audit_service_roles = 'notes_api';
set local userscope.audit_provider_roles = 'none';
set local userscope.audit_identity = 'current_setting(''notes.account''::text\, true)';
set local userscope.audit_definer_functions = 'none';

create schema notes;
create role notes_api;
grant usage on schema notes to notes_api;
create table notes.accounts (id uuid primary key);
create table notes.pages (account uuid not null references notes.accounts on delete cascade, id int, body text, primary key (account, id));
alter table notes.accounts enable row level security, force row level security, alter id set statistics 0;
alter table notes.pages enable row level security, force row level security,
    alter account set statistics 0, alter id set statistics 0, alter body set statistics 0;
create policy own on notes.accounts for select to notes_api using (id::text = current_setting('notes.account', true));
create policy own on notes.pages to notes_api using ((account)::text = current_setting('notes.account', true));
grant select (id) on notes.accounts to notes_api;
grant select (id, body), insert (id, body), update (body), delete on notes.pages to notes_api;
