begin;
select 'grand'::nasty.mood;
rollback;
