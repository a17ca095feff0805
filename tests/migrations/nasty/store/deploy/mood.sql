-- Deploy store:mood to pg
begin;
alter type nasty.mood add value if not exists 'grand';
comment on type nasty.mood is 'How somebody feels';
commit;
