-- What the shapes stand on: a project of a web API's, with its platform's roles and its way to say who acts.
create role anon;
create role authenticated;
create role maker;
create schema auth;
create function auth.uid() returns uuid language sql stable
    as $$ select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
create function auth.jwt() returns jsonb language sql stable
    as $$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb $$;
create function auth.role() returns text language sql stable as $$ select auth.jwt() ->> 'role' $$;
create table auth.users (id uuid primary key, email text, raw_user_meta_data jsonb);
create schema lib authorization maker;
create schema inner_lib authorization maker;
grant usage on schema auth to maker, anon, authenticated;
grant references on auth.users to maker;
grant usage on schema lib to anon, authenticated;
set local role maker;
alter default privileges revoke execute on functions from public;
create table lib.readers (id uuid primary key references auth.users, name text, rank text not null default 'reader');
create table lib.houses (id uuid primary key, name text, open boolean not null default false);
create table lib.cards (
    reader_id uuid not null references lib.readers, house_id uuid not null references lib.houses, rank text not null,
    primary key (reader_id, house_id)
);
create table lib.loans (
    id uuid primary key, reader_id uuid not null default auth.uid() references lib.readers, house_id uuid not null references lib.houses,
    title text, public boolean not null default false, returned_at timestamptz, helpers uuid[]
);
create table lib.fines (id uuid primary key, loan_id uuid not null references lib.loans, cents int);
alter table lib.readers enable row level security;
alter table lib.houses enable row level security;
alter table lib.cards enable row level security;
alter table lib.loans enable row level security;
alter table lib.fines enable row level security;
create policy me on lib.readers for select to authenticated using (id = (select auth.uid()));
create policy mine on lib.cards for select to authenticated using (reader_id = (select auth.uid()));
grant select on all tables in schema lib to authenticated;
