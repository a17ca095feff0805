-- error | role a_login | a service can get above row-level security
create role a_login login superuser;
grant app_user to a_login;

-- error | role a_login | a service can get above row-level security
create role a_login login bypassrls;
grant app_user to a_login;

-- error | role a_login | a service can get above row-level security
create role a_login login replication;
grant app_user to a_login;

-- error | role app_user | a service can get above row-level security
alter role app_user bypassrls;

-- error | role app_auth | a service can get above row-level security
grant pg_read_all_data to app_auth;

-- error | role a_login | a service can get above row-level security
create role strong bypassrls;
create role a_login login noinherit;
grant strong, app_user to a_login;

-- error | role a_login | a service can get above row-level security
create role a_login login in role app_user, app_gate;

-- error | role app_gate | a service can get above row-level security
alter role app_gate bypassrls;

-- error | role app_gate | a service can get above row-level security
alter role app_gate superuser;
