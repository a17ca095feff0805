-- Revert schema:users from pg

begin;

drop table app.users;

commit;
