-- error | app.users | a service has a right on a fenced table
grant select (name) on app.users to app_user;

-- error | app.users | a service has a right on a fenced table
grant references (id) on app.users to app_user;

-- error | app.users | a service has a right on a fenced table
grant trigger on app.users to public;

-- error | app_fenced.bills | a service has a right on a fenced table
create table app_fenced.bills (id int);
grant delete on app_fenced.bills to app_user;

-- warning | app.users | a foreign key tells whether a row exists
create table app.friends (owner_id uuid not null references app.users on delete cascade, friend uuid references app.users);
grant insert (friend) on app.friends to app_user;

-- warning | app_fenced.lists | a foreign key tells whether a row exists
create table app_fenced.lists (id int primary key);
create table app_fenced.items (list_id int references app_fenced.lists);
grant insert (list_id) on app_fenced.items to app_gate;

-- error | function app_fenced.write_account() | a right in app_fenced is another's than app_gate's
grant execute on function app_fenced.write_account() to app_user;

-- error | schema app_fenced | a right in app_fenced is another's than app_gate's
grant usage on schema app_fenced to app_auth;
