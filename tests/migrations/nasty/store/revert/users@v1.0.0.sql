begin; drop table nasty.users; commit;
