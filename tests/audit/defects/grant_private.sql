-- error | schema app_private | something private is granted
grant usage on schema app_private to app_user;

-- error | table app_private.seal_keys | something private is granted
grant select on app_private.seal_keys to app_auth;

-- error | table app_private.sealing | something private is granted
grant select (required) on app_private.sealing to public;

-- error | function app_private.f() | something private is granted
create function app_private.f() returns int return 1;

-- error | sequence app_private.s | something private is granted
create sequence app_private.s;
grant usage on sequence app_private.s to app_user;
