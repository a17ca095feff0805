-- error | role app_gate | app_gate can become another role
grant app_auth to app_gate;

-- error | role app_gate | app_gate may log in
alter role app_gate login;

-- error | role app_gate | a role can become app_gate
grant app_gate to app_user;

-- error | role app_gate | a role can become app_gate
create role a_group noinherit;
create role a_login login noinherit in role a_group;
grant app_gate to a_group;

-- error | role app_gate | a role can become app_gate
create role a_login login;
grant app_gate to a_login with admin option;
