-- Views that read as whoever asks, and a materialized one for the owner alone.
set local userscope.audit_schemas = 'shop, shop_views';
set local userscope.audit_private_schemas = 'none';
set local userscope.audit_service_roles = 'shop_web';
set local userscope.audit_provider_roles = 'none';
set local userscope.audit_identity = 'shop.buyer()';
set local userscope.audit_definer_functions = 'none';

create schema shop;
create schema shop_views;
create role shop_web;
grant usage on schema shop, shop_views to shop_web;
create function shop.buyer() returns uuid language sql stable return current_setting('shop.buyer', true)::uuid;
revoke all on function shop.buyer() from public;
grant execute on function shop.buyer() to shop_web;

create table shop.buyers (id uuid primary key);
create table shop.orders (
    buyer uuid not null references shop.buyers on delete cascade, number int not null, total numeric, primary key (buyer, number)
);
alter table shop.buyers enable row level security, force row level security, alter id set statistics 0;
alter table shop.orders enable row level security, force row level security,
    alter buyer set statistics 0, alter number set statistics 0, alter total set statistics 0;
create policy own on shop.buyers for select to shop_web using (id = (select shop.buyer()));
create policy own on shop.orders for select to shop_web using (total >= 0 and buyer = (select shop.buyer()));
grant select (id) on shop.buyers to shop_web;
grant select (buyer, number, total) on shop.orders to shop_web;
create view shop_views.orders with (security_invoker) as select number, total from shop.orders;
create view shop_views.recent with (security_invoker = on, security_barrier = true) as select number from shop.orders;
grant select on shop_views.orders, shop_views.recent to shop_web;
create materialized view shop_views.totals as select sum(total) from shop.orders;
