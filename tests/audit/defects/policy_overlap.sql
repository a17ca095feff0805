-- warning | app.todos | several permissive policies serve one command
create policy other on app.todos for select to app_user using (owner_id = (select app.current_user_id()));

-- warning | app.todos | several permissive policies serve one command
create policy other on app.todos to app_user using (owner_id = (select app.current_user_id()));
