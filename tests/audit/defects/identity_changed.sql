-- error | function app.current_user_key() | the identity function is not the one that was deployed
create or replace function app.current_user_key() returns text language sql stable security definer set search_path = pg_catalog, pg_temp return current_setting('app.user_id', true);

-- error | function app.current_user_key() | the identity function is not the one that was deployed
alter function app.current_user_key() immutable;

-- error | function app.current_user_key() | the identity function is not the one that was deployed
alter function app.current_user_key() security invoker;

-- error | function app.current_user_key() | the identity function is not the one that was deployed
grant execute on function app.current_user_key() to public;

-- error | function app.current_user_key() | the identity function is not the one that was deployed
create role else_one;
alter function app.current_user_key() owner to else_one;


-- error | function app.current_user_id() | the identity function is not the one that was deployed
create or replace function app.current_user_id() returns uuid language sql stable return current_setting('app.user_id', true)::uuid;

-- error | function app.current_user_id() | the identity function is not the one that was deployed
create or replace function app.current_user_id() returns uuid language sql stable as 'select app.current_user_key()::uuid';

-- error | function app.current_user_id() | the identity function is not the one that was deployed
alter function app.current_user_id() immutable;

-- error | function app_private.verified_user_key() | the identity function is not the one that was deployed
create or replace function app_private.verified_user_key() returns text language sql stable security definer set search_path = pg_catalog, pg_temp return current_setting('app.user_id', true);

-- error | function app_private.verified_user_key() | the identity function is not the one that was deployed
alter function app_private.verified_user_key() security invoker;

-- error | function app_private.refuse_identity() | the identity function is not the one that was deployed
create or replace function app_private.refuse_identity() returns text language sql stable return current_setting('app.user_id', true);

-- error | function app_private.decide_sealing() | the identity function is not the one that was deployed
create or replace function app_private.decide_sealing() returns trigger language plpgsql as 'begin return null; end';
