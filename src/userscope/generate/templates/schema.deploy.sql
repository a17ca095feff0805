-- Deploy §{schema}:§{table} to pg
-- requires: §{identity}
-- requires: §{users}

begin;

create table app.§{table} (
§{owner}
§{indent}constraint §{table}_owner_id_fkey references app.users on delete cascade,
§{id}
§{columns}
§{created_at}
§{updated_at}
    primary key (owner_id, id)
);

-- Closed until a policy opens it, to its owner as well.
alter table app.§{table} enable row level security, force row level security;

-- EXPLAIN must not tell how many rows another user has, or which values occur.
alter table app.§{table}
§{statistics};

create trigger touch before update on app.§{table} for each row execute function app.touch();

comment on table app.§{table} is '§{A_one}. Belongs to one user, and goes when that user goes.';
comment on constraint §{table}_pkey on app.§{table} is 'You already have §{a_one} with this id.';
comment on constraint §{table}_owner_id_fkey on app.§{table} is 'The user who owns this §{one} does not exist.';
§{checks}comment on trigger touch on app.§{table} is 'Keeps updated_at.';

commit;
