-- error | app.todos | row-level security is not forced
alter table app.todos no force row level security;
