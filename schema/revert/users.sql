-- Revert schema:users from pg

begin;

drop view app.account;
drop function app_fenced.write_account();
drop table app.users;

commit;
