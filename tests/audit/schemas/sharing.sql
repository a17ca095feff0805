-- Documents of teams: found through one's memberships, by EXISTS and by IN.
-- Told: policy_open | policy shared on docs.documents
-- Told: policy_open | policy shared on docs.comments
-- Told: policy_per_row | policy shared on docs.documents
-- Told: policy_per_row | policy shared on docs.comments
-- Told: index_aimed | index docs.documents_pkey
set local userscope.audit_schemas = 'docs';
set local userscope.audit_private_schemas = 'none';
set local userscope.audit_service_roles = 'docs_app';
set local userscope.audit_provider_roles = 'none';
set local userscope.audit_identity = 'docs.person()';
set local userscope.audit_definer_functions = 'none';

create schema docs;
create role docs_app;
grant usage on schema docs to docs_app;
create function docs.person() returns int language sql stable return current_setting('docs.person', true)::int;
revoke all on function docs.person() from public;
grant execute on function docs.person() to docs_app;

create table docs.people (id int primary key);
create table docs.members (person int not null references docs.people on delete cascade, team int not null, primary key (person, team));
create table docs.documents (id int primary key, team int not null, author int not null references docs.people on delete cascade, title text);
create table docs.comments (id int primary key, document int not null references docs.documents on delete cascade, words text);
create index on docs.documents (author);
alter table docs.people enable row level security, force row level security, alter id set statistics 0;
alter table docs.members enable row level security, force row level security, alter person set statistics 0, alter team set statistics 0;
alter table docs.documents enable row level security, force row level security,
    alter id set statistics 0, alter team set statistics 0, alter author set statistics 0, alter title set statistics 0;
alter table docs.comments enable row level security, force row level security,
    alter id set statistics 0, alter document set statistics 0, alter words set statistics 0;
create policy self on docs.people for select to docs_app using (id = (select docs.person()));
create policy mine on docs.members for select to docs_app using (person = (select docs.person()));
create policy shared on docs.documents for select to docs_app using (
    author = (select docs.person())
    or exists (select from docs.members as m where m.team = documents.team and m.person = (select docs.person()))
);
create policy written on docs.documents for update to docs_app
    using (author = (select docs.person())) with check (author = (select docs.person()) and title <> '');
create policy shared on docs.comments for select to docs_app using (
    document in (select d.id from docs.documents as d join docs.members as m on m.team = d.team where m.person = (select docs.person()))
);
grant select (id) on docs.people to docs_app;
grant select (person, team) on docs.members to docs_app;
grant select (id, team, author, title), update (title) on docs.documents to docs_app;
grant select (id, document, words) on docs.comments to docs_app;
