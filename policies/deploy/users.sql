-- Deploy policies:users to pg
-- requires: access
-- requires: schema:users
--
-- A user sees their own account, whole, and changes how they are called: through app.account, whose owner these policies
-- bind. Accounts are made, renamed and deleted by the identity provider: there is no insert_own and no delete_own.

begin;

create policy select_own on app.users
    for select to app_gate
    using (id = (select app.current_user_id()));
comment on policy select_own on app.users is 'A user sees their own account.';

create policy update_own on app.users
    for update to app_gate
    using (id = (select app.current_user_id()))
    with check (id = (select app.current_user_id()));
comment on policy update_own on app.users is 'A user edits their own account.';

create policy select_auth on app.users for select to app_auth using (true);
comment on policy select_auth on app.users is 'The identity provider finds whoever signs in.';

create policy insert_auth on app.users for insert to app_auth with check (true);
comment on policy insert_auth on app.users is 'The identity provider signs people up.';

create policy update_auth on app.users for update to app_auth using (true) with check (true);
comment on policy update_auth on app.users is 'The identity provider keeps accounts current.';

create policy delete_auth on app.users for delete to app_auth using (true);
comment on policy delete_auth on app.users is 'The identity provider deletes accounts; what they own goes along.';

-- Column by column, reading too: table-wide SELECT would open ctid and its kin to probing.
grant select (id, name, email, email_verified, image, username, display_username, created_at, updated_at),
      update (name, image)
   on app.users to app_gate;

-- The id may be chosen at insert, for a profile keyed by another provider's id, and never changed.
grant select (id, name, email, email_verified, image, username, display_username, created_at, updated_at),
      insert (id, name, email, email_verified, image, username, display_username, created_at, updated_at),
      update (name, email, email_verified, image, username, display_username, updated_at),
      delete
   on app.users to app_auth;

-- The view's owner alone grants rights on it.
set local role app_gate;
grant select (id, name, email, email_verified, image, username, display_username, created_at, updated_at),
      update (name, image)
   on app.account to app_user;
reset role;

select app_private.admit_owner('app.users');

commit;
