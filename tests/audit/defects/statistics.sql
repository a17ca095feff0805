-- warning | app.todos | statistics tell about hidden rows
alter table app.todos alter title set statistics -1;

-- warning | app.todos | statistics tell about hidden rows
alter table app.todos alter title set statistics 10;
