-- A schema as others write it: in public, with an extension, and policies that are for PUBLIC.
create extension pgcrypto;
create extension pgtap;
create role notes_web nologin;
create table public.notes (
    id    serial primary key,
    owner text not null,
    body  text not null,
    mark  bytea generated always as (digest(body, 'sha256')) stored
);
alter table public.notes enable row level security;
create policy own on public.notes using (owner = current_setting('notes.me', true));
grant select, insert, update, delete on public.notes to notes_web;
grant usage on sequence public.notes_id_seq to notes_web;
