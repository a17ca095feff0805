-- Deploy §{schema}:§{table} to pg
-- requires: §{identity}
-- requires: §{organizations}

begin;

create table app.§{table} (
§{organization}
§{id}
§{columns}
§{created_by}
§{created_at}
§{updated_at}
    primary key (organization_id, id)
);

-- Closed until a policy opens it, to its owner as well.
alter table app.§{table} enable row level security, force row level security;

-- EXPLAIN must not tell how many rows another organization has, or which values occur.
alter table app.§{table}
§{statistics};

create trigger touch before update on app.§{table} for each row execute function app.touch();

comment on table app.§{table} is '§{A_one}. Belongs to one organization, and goes when that goes.';
comment on column app.§{table}.created_by is 'Who made it: a bare id, which outlives the account. No index of it could be led by the organization.';
comment on constraint §{table}_pkey on app.§{table} is 'The organization already has §{a_one} with this id.';
comment on constraint §{table}_organization_id_fkey on app.§{table} is 'The organization does not exist.';
§{checks}comment on trigger touch on app.§{table} is 'Keeps updated_at.';

commit;
