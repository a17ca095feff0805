-- warning | role app_user | a service carries settings of its own
alter role app_user set timezone = 'Asia/Tokyo';

-- warning | role a_login | a service carries settings of its own
create role a_login login;
grant app_auth to a_login;
alter role a_login in database {database} set row_security = off;
