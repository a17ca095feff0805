select 1 / count(*) from nasty.users;
select id, name from nasty.users where false;
