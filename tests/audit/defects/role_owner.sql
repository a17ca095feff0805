-- error | table app.todos | a service can become the owner
alter table app.todos owner to app_user;

-- error | schema app | a service can become the owner
create role an_owner;
grant an_owner to app_user;
alter schema app owner to an_owner;

-- error | function app.current_user_id() | a service can become the owner
alter function app.current_user_id() owner to app_auth;

-- error | database {database} | a service can become the owner
alter database {database} owner to app_user;

-- error | table app_private.seal_keys | a service can become the owner
alter table app_private.seal_keys owner to app_user;

-- error | table app.users | a service can become the owner
alter table app.users owner to app_gate;
