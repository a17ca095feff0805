-- error | schema app | objects to come are granted at birth
alter default privileges in schema app grant select on tables to app_user;

-- error | database {database} | objects to come are granted at birth
alter default privileges grant select on tables to public;

-- error | schema app | objects to come are granted at birth
alter default privileges in schema app grant execute on functions to app_user;

-- error | schema app | objects to come are granted at birth
alter default privileges revoke execute on functions from public;
alter default privileges in schema app grant execute on functions to public;
