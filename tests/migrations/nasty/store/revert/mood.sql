-- A value cannot be taken out of an enum; it may stay.
begin;
comment on type nasty.mood is null;
commit;
