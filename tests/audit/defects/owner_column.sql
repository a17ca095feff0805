-- error | app.todos.owner_id | an owner may be null
alter table app.todos drop constraint todos_pkey, alter owner_id drop not null;

-- warning | app.todos.owner_id | an owner is not a foreign key
alter table app.todos drop constraint todos_owner_id_fkey;

-- warning | app.todos.owner_id | rows do not go with their owner
alter table app.todos drop constraint todos_owner_id_fkey, add foreign key (owner_id) references app.users;

-- warning | app.todos.owner_id | no index begins with the owner
alter table app.todos drop constraint todos_pkey; drop index app.todos_owner_id_created_at_id_idx;

-- warning | app.todos.owner_id | a service may write the owner
grant update (owner_id) on app.todos to app_user;

-- warning | app.todos.owner_id | a service may write the owner
grant insert (owner_id) on app.todos to public;

-- warning | app.todos.owner_id | a service may write the owner
grant insert (owner_id) on app.todos to app_user; alter table app.todos alter owner_id drop default;
