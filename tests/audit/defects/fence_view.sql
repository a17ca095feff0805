-- error | app.account | a fence has no barrier
alter view app.account reset (security_barrier);

-- error | app.account | a fence has no offset 0
create or replace view app.account with (security_barrier) as
    select id, name, email, email_verified, image, username, display_username, created_at, updated_at from app.users;

-- error | app.account | a fence has no offset 0
create or replace view app.account with (security_barrier) as
    select id, name, email, email_verified, image, username, display_username, created_at, updated_at from app.users
    where name <> ' OFFSET 0;' limit 10;

-- error | app.account | a fence reads as its reader
alter view app.account set (security_invoker);

-- error | app.account | a fence belongs to another than app_gate
create table app_fenced.accounts (id uuid);
create or replace view app.account with (security_barrier) as
    select id, name, email, email_verified, image, username, display_username, created_at, updated_at from app.users
    where id in (select id from app_fenced.accounts) offset 0;
alter view app.account owner to postgres;

-- error | app.bills | a fence belongs to another than app_gate
create table app_fenced.bills (id int);
create view app.bills with (security_barrier) as select id from app_fenced.bills offset 0;

-- error | app.guide | a fence has no barrier
create view app.guide as select 1 offset 0;
alter view app.guide owner to app_gate;

-- error | app.account | a fence is written to by another than app_gate
alter function app_fenced.write_account() owner to postgres;
