-- Which service or login of one is above row-level security, or can come to be?
select 'error' as level, format('role %I', pg_get_userbyid(login)) as object,
       'a service can get above row-level security' as finding,
       string_agg(distinct format('It %s%s.', why, ' through "' || nullif(role, pg_get_userbyid(login)) || '"'), ' ') as detail,
       case when login in (select oid from gate) then 'alter role app_gate nosuperuser nobypassrls noreplication nocreaterole'
            else format('make another login by "userscope create-login", and drop role %I', pg_get_userbyid(login)) end as cure
  from above
 group by login
 order by 2;
