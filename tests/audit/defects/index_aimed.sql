-- warning | index app.todos_title_idx | a service can aim an index at hidden rows
create index on app.todos (title);

-- warning | index app.todos_lower_owner_id_idx | a service can aim an index at hidden rows
create index on app.todos (lower(title), owner_id);

-- warning | index app.todos_id_key | a service can aim an index at hidden rows
alter table app.todos add unique (id);

-- warning | index app.todos_title_key | a service can aim an index at hidden rows
revoke select (title) on app.todos from app_user;
alter table app.todos add unique (title);

-- warning | index app.users_image_key | a service can aim an index at hidden rows
alter table app.users add unique (image);

-- warning | index app.todos_title_excl | a service can aim an index at hidden rows
revoke select (title) on app.todos from app_user;
alter table app.todos add exclude (title with =);
