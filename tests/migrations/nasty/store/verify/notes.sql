begin;
select 1 / count(*) from nasty.notes where title = 'one';
select;
rollback;
