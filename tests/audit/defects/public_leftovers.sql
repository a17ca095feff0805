-- error | database {database} | everybody may make temporary objects
grant temporary on database {database} to public;

-- error | database {database} | "app_user" may make temporary objects
grant temporary on database {database} to app_user;

-- error | database {database} | "app_auth" may make schemas
grant create on database {database} to app_auth;

-- error | schema public | everybody may make objects there
grant create on schema public to public;

-- error | schema app | "app_user" may make objects there
grant create on schema app to app_user;

-- warning | schema app | everybody may enter it
grant usage on schema app to public;

-- warning | function app.touch() | everybody may run it
grant execute on function app.touch() to public;
