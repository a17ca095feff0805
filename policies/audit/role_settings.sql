-- Which service carries settings of its own? An injected ALTER ROLE leaves them for every later connection.
select 'warning' as level, format('role %I', pg_get_userbyid(login)) as object,
       'a service carries settings of its own' as finding,
       format('%s. An injected ALTER ROLE could have left them.', string_agg(distinct setting, ', ')) as detail,
       format('alter role %I reset all', pg_get_userbyid(login)) as cure
  from carried
 group by login
 order by 2;
