-- warning | policy select_own on app.todos | USING is joined by OR
alter policy select_own on app.todos using (owner_id = (select app.current_user_id()) or completed);

-- warning | policy delete_own on app.todos | USING is joined by OR
alter policy delete_own on app.todos
    using ((owner_id = (select app.current_user_id()) and title <> ' and ') or (completed and (due_at < now() or title = '')));

-- warning | policy select_own on app.todos | USING runs a query once a row
alter policy select_own on app.todos
    using (exists (select from app.users as u where u.id = owner_id and u.id = (select app.current_user_id())));

-- warning | policy update_own on app.todos | USING runs a query once a row
alter policy update_own on app.todos
    using (owner_id = (select app.current_user_id()) and owner_id in (select id from app.users));
