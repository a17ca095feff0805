-- How many todos a user has, as far as the planner is concerned: 500, whoever asks, however many there are; and an id
-- names one. Without this it takes a user's share for a 200th of the table: in a small one it sorts a page instead of
-- reading it off an index, in a large one it expects thousands of rows for an id. ANALYZE writes this down for a column
-- that has statistics and a row, and leaves it alone afterwards; one row has no most common value and no histogram.
alter table app.todos
    alter owner_id set (n_distinct = -0.002),
    alter id       set (n_distinct = -1),
    alter owner_id set statistics 1,
    alter id       set statistics 1;
insert into app.todos (owner_id, id, title) values (gen_random_uuid(), gen_random_uuid(), 'a row to analyze');
analyze app.todos (owner_id, id);
delete from app.todos;
alter table app.todos
    alter owner_id set statistics 0,
    alter id       set statistics 0;
