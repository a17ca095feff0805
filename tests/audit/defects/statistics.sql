-- warning | app.todos | statistics tell about hidden rows
alter table app.todos alter title set statistics -1;

-- warning | app.todos | statistics tell about hidden rows
alter table app.todos alter title set statistics 10;

-- warning | app.users | statistics tell about hidden rows
alter table app.users alter email set statistics 10;

-- warning | app.todos | stored statistics still tell about hidden rows
insert into app.users (id, name, email) values ('00000000-0000-0000-0000-00000000000a', 'A', 'a@example.org');
insert into app.todos (owner_id, title) select '00000000-0000-0000-0000-00000000000a', 'same' from generate_series(1, 100);
alter table app.todos alter title set statistics -1;
analyze app.todos (title);
alter table app.todos alter title set statistics 0;

-- warning | app.todos | statistics of an expression tell about hidden rows
create index on app.todos (owner_id, lower(title));

-- warning | app.todos | extended statistics tell about hidden rows
insert into app.users (id, name, email) values ('00000000-0000-0000-0000-00000000000a', 'A', 'a@example.org');
insert into app.todos (owner_id, title) select '00000000-0000-0000-0000-00000000000a', 'same' from generate_series(1, 100);
create statistics app.todos_lower on lower(title) from app.todos;
alter table app.todos alter completed set statistics -1;
analyze app.todos;
alter table app.todos alter completed set statistics 0;

-- info | database {database} | whether statistics are stored could not be seen
analyze app.todos;
create role a_role;
set local role a_role;
