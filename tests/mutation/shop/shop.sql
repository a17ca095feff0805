-- A schema that is not shaped like ours: integer keys, quoted names, the identity read from a setting in each policy,
-- rows that everybody may read, a table-wide grant.

create role "shop customer" nologin;
create role "shop clerk's login" login;
grant "shop customer" to "shop clerk's login";

create schema "Shop";
grant usage on schema "Shop" to "shop customer";

create table "Shop".customers (
    "No"   int  primary key,
    "Name" text not null
);
create table "Shop".orders (
    id       bigint primary key,
    customer int    not null references "Shop".customers on delete cascade,
    amount   int    not null default 1 check (amount > 0)
);
create table "Shop".reviews (
    id     bigint primary key,
    author int    not null,
    text   text
);

alter table "Shop".customers enable row level security, force row level security;
alter table "Shop".orders enable row level security, force row level security;
alter table "Shop".reviews enable row level security, force row level security;

create policy own on "Shop".customers for select to "shop customer"
    using ("No" = nullif(current_setting('shop.customer', true), '')::int);
create policy own on "Shop".orders for all to "shop customer"
    using (customer = nullif(current_setting('shop.customer', true), '')::int)
    with check (customer = nullif(current_setting('shop.customer', true), '')::int);
create policy everybody on "Shop".reviews for select to "shop customer" using (true);
create policy own on "Shop".reviews for insert to "shop customer"
    with check (author = nullif(current_setting('shop.customer', true), '')::int);
create policy own_edit on "Shop".reviews for update to "shop customer"
    using (author = nullif(current_setting('shop.customer', true), '')::int)
    with check (author = nullif(current_setting('shop.customer', true), '')::int);

grant select ("No", "Name") on "Shop".customers to "shop customer";
grant select, insert (id, customer, amount), update (amount, customer), delete on "Shop".orders to "shop customer";
grant select (id, author, text), insert (id, author, text), update (author, text) on "Shop".reviews to "shop customer";
