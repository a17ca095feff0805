begin isolation level repeatable read read only;
select mood from nasty.users where false;
rollback;
