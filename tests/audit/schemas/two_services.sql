-- A service that reads and one that writes, both by a group that the policies name; logins of each.
set local userscope.audit_schemas = 'chat';
set local userscope.audit_private_schemas = 'chat_keys';
set local userscope.audit_service_roles = 'chat_reader, chat_writer';
set local userscope.audit_provider_roles = 'chat_login';
set local userscope.audit_identity = 'chat_keys.me()';
set local userscope.audit_definer_functions = 'chat_keys.me()';

create schema chat;
create schema chat_keys;
create role chat_users;
create role chat_reader in role chat_users;
create role chat_writer in role chat_users;
create role chat_login;
create role web_1 login in role chat_reader;
create role web_2 login in role chat_writer;
grant usage on schema chat to chat_users, chat_login;
create function chat_keys.me() returns text language sql stable security definer
    set search_path = pg_catalog, pg_temp return current_setting('chat.me', true);
revoke all on function chat_keys.me() from public;

create table chat.people (handle varchar(20) primary key, secret text);
create table chat.messages (
    sender varchar(20) not null references chat.people on delete cascade, at timestamptz not null default now(), words text,
    primary key (sender, at)
);
alter table chat.people enable row level security, force row level security, alter handle set statistics 0;
alter table chat.messages enable row level security, force row level security,
    alter sender set statistics 0, alter at set statistics 0, alter words set statistics 0;
create policy self on chat.people for select to chat_users using (handle = (select chat_keys.me()));
create policy known on chat.people for select to chat_login using (true);
create policy sent on chat.messages for select to chat_users using (sender = (select chat_keys.me()));
create policy send on chat.messages for insert to chat_writer with check (sender = (select chat_keys.me()));
grant select (handle) on chat.people to chat_users;
grant select (handle, secret) on chat.people to chat_login;
grant select (sender, at, words) on chat.messages to chat_users;
grant insert (words) on chat.messages to chat_writer;
