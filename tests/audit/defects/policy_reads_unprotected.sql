-- error | policy select_own on app.todos | decides by an unprotected table
create table app.friends (user_id uuid, other_id uuid);
grant select (user_id, other_id), insert (user_id, other_id) on app.friends to app_user;
alter policy select_own on app.todos using (exists (select from app.friends where other_id = owner_id and user_id = (select app.current_user_id())));

-- warning | policy select_own on app.todos | decides by an unprotected table
create table app.friends (user_id uuid, other_id uuid);
alter policy select_own on app.todos using (owner_id in (select other_id from app.friends));
