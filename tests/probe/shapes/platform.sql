-- What every shape stands on: a platform that puts a token's claims into a setting, as PostgREST does.
revoke all on schema public from public;
grant usage, create on schema public to shape_owner;
grant usage on schema public to anon, authenticated;
create schema auth authorization shape_owner;
set role shape_owner;
grant usage on schema auth to anon, authenticated;
create table auth.users (id uuid primary key default gen_random_uuid(), email text, raw_user_meta_data jsonb default '{}');
create function auth.claims() returns jsonb language sql stable
    return nullif(current_setting('request.jwt.claims', true), '')::jsonb;
create function auth.uid() returns uuid language sql stable return (auth.claims() ->> 'sub')::uuid;
create function auth.role() returns text language sql stable return auth.claims() ->> 'role';
revoke execute on all functions in schema auth from public;
grant execute on all functions in schema auth to anon, authenticated;
alter default privileges for role shape_owner revoke execute on functions from public;
create table public.diaries (
    id      uuid primary key default gen_random_uuid(),
    writer  uuid not null default auth.uid() references auth.users on delete cascade,
    entry   text
);
alter table public.diaries enable row level security, force row level security;
create policy own on public.diaries for all to authenticated using (writer = (select auth.uid()));
grant select, insert, update, delete on public.diaries to authenticated;
