begin;
do $$ begin if to_regrole('app_gate') is null then create role app_gate nologin; end if; end $$;
create schema app_fenced;
grant usage on schema app, app_fenced to app_gate;
grant execute on function app.current_user_id() to app_gate;
revoke all on app.users from app_user;
drop policy select_own on app.users;
drop policy update_own on app.users;
create policy select_own on app.users for select to app_gate using (id = (select app.current_user_id()));
create policy update_own on app.users for update to app_gate using (id = (select app.current_user_id())) with check (id = (select app.current_user_id()));
grant select, update (name, image) on app.users to app_gate;
create view app.account with (security_barrier) as
    select id, name, email, email_verified, image, username, display_username, created_at, updated_at from app.users offset 0;
create function app_fenced.write_account() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update app.users as t set name = new.name, image = new.image where t.id = old.id and (t.name, t.image, t.updated_at) is not distinct from (old.name, old.image, old.updated_at)
    returning t.id, t.name, t.email, t.email_verified, t.image, t.username, t.display_username, t.created_at, t.updated_at into new;
  if found then return new; end if;
  if exists (select from app.users t where t.id = old.id) then raise exception 'could not serialize access due to concurrent update' using errcode = '40001'; end if;
  return null;
end $$;
create trigger write instead of update on app.account for each row execute function app_fenced.write_account();
grant select on app.account to app_user; grant update (name, image) on app.account to app_user;
grant create on schema app, app_fenced to app_gate;
alter view app.account owner to app_gate;
alter function app_fenced.write_account() owner to app_gate;
revoke create on schema app, app_fenced from app_gate;
commit;
