-- error | role a_login | a login is service and identity provider at once
create role a_login login;
grant app_user, app_auth to a_login;

-- error | role app_user | a login is service and identity provider at once
grant app_auth to app_user;
