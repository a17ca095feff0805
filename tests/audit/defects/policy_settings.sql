-- warning | policy select_own on app.todos | USING asks for the identity once a row
alter policy select_own on app.todos using (owner_id = app.current_user_id());

-- error | policy select_own on app.todos | USING reads a setting
alter policy select_own on app.todos using (owner_id = current_setting('app.user_id', true)::uuid);

-- error | policy select_own on app.todos | USING reads a setting
alter policy select_own on app.todos using (owner_id = (select app.current_user_id()) or current_setting('app.admin', true) = 'on');

-- error | policy select_own on app.todos | USING asks who is logged in
alter policy select_own on app.todos using (owner_id = (select app.current_user_id()) and current_user = 'app_user');
