-- Deploy policies:better_auth to pg
-- requires: access
-- requires: schema:better_auth
--
-- The identity provider's own tables, with exactly what Better Auth was seen to need (tests/better_auth shows it): it
-- selects and returns whole rows, neither chooses ids nor changes them, and never gives a session or a way to sign in to
-- somebody else. app_user has no policy and no grant: these tables hold secrets.

begin;

create policy select_auth on app.sessions for select to app_auth using (true);
comment on policy select_auth on app.sessions is 'The identity provider sees sessions.';

create policy insert_auth on app.sessions for insert to app_auth with check (true);
comment on policy insert_auth on app.sessions is 'The identity provider adds sessions.';

create policy update_auth on app.sessions for update to app_auth using (true) with check (true);
comment on policy update_auth on app.sessions is 'The identity provider renews sessions.';

create policy delete_auth on app.sessions for delete to app_auth using (true);
comment on policy delete_auth on app.sessions is 'The identity provider removes sessions.';

grant select (id, user_id, token, expires_at, ip_address, user_agent, created_at, updated_at, active_organization_id),
      insert (user_id, token, expires_at, ip_address, user_agent, created_at, updated_at, active_organization_id),
      update (expires_at, updated_at, active_organization_id),
      delete
   on app.sessions to app_auth;

create policy select_auth on app.accounts for select to app_auth using (true);
comment on policy select_auth on app.accounts is 'The identity provider sees ways to sign in.';

create policy insert_auth on app.accounts for insert to app_auth with check (true);
comment on policy insert_auth on app.accounts is 'The identity provider adds ways to sign in.';

create policy update_auth on app.accounts for update to app_auth using (true) with check (true);
comment on policy update_auth on app.accounts is 'The identity provider renews ways to sign in.';

create policy delete_auth on app.accounts for delete to app_auth using (true);
comment on policy delete_auth on app.accounts is 'The identity provider removes ways to sign in.';

grant select (id, user_id, account_id, provider_id, access_token, refresh_token, id_token, access_token_expires_at,
              refresh_token_expires_at, scope, password, created_at, updated_at),
      insert (user_id, account_id, provider_id, access_token, refresh_token, id_token, access_token_expires_at,
              refresh_token_expires_at, scope, password, created_at, updated_at),
      update (provider_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at,
              scope, password, updated_at),
      delete
   on app.accounts to app_auth;

create policy select_auth on app.verifications for select to app_auth using (true);
comment on policy select_auth on app.verifications is 'The identity provider sees links and codes that were sent.';

create policy insert_auth on app.verifications for insert to app_auth with check (true);
comment on policy insert_auth on app.verifications is 'The identity provider adds links and codes that were sent.';

create policy delete_auth on app.verifications for delete to app_auth using (true);
comment on policy delete_auth on app.verifications is 'The identity provider removes links and codes that were sent.';

grant select (id, identifier, value, expires_at, created_at, updated_at),
      insert (identifier, value, expires_at, created_at, updated_at),
      delete
   on app.verifications to app_auth;

create policy select_auth on app.jwks for select to app_auth using (true);
comment on policy select_auth on app.jwks is 'The identity provider sees keys that JWTs are signed with.';

create policy insert_auth on app.jwks for insert to app_auth with check (true);
comment on policy insert_auth on app.jwks is 'The identity provider adds keys that JWTs are signed with.';

grant select (id, public_key, private_key, alg, crv, created_at, expires_at),
      insert (public_key, private_key, alg, crv, created_at, expires_at)
   on app.jwks to app_auth;

select app_private.admit_owner('app.sessions');
select app_private.admit_owner('app.accounts');
select app_private.admit_owner('app.verifications');
select app_private.admit_owner('app.jwks');

commit;
