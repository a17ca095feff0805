-- warning | role a_login | a login reaches another database
create role a_login login in role app_user;
update pg_database set datallowconn = true, datistemplate = false where datname <> 'template0';
do $$ begin execute (select string_agg(format('grant connect on database %I to a_login', datname), ';') from pg_database
                      where datallowconn); end $$;

-- warning | role a_login | a login reaches another database
create role a_login login in role app_auth;
update pg_database set datallowconn = true, datistemplate = false where datname <> 'template0';
do $$ begin execute (select string_agg(format('grant connect on database %I to public', datname), ';') from pg_database
                      where datallowconn); end $$;
