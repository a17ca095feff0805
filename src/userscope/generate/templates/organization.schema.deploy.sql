-- Deploy §{schema}:§{table} to pg
-- requires: §{identity}
-- requires: §{organizations}

begin;

create table §{home}.§{table} (
§{organization}
§{id}
§{columns}
§{created_by}
§{created_at}
§{updated_at}
    primary key (organization_id, id)
);

-- Closed until a policy opens it, to its owner as well.
alter table §{home}.§{table} enable row level security, force row level security;

-- EXPLAIN must not tell how many rows another organization has, or which values occur.
alter table §{home}.§{table}
§{statistics};

create trigger touch before update on §{home}.§{table} for each row execute function app.touch();

comment on table §{home}.§{table} is '§{A_one}. Belongs to one organization, and goes when that goes.';
comment on column §{home}.§{table}.created_by is 'Who made it: a bare id, which outlives the account. No index of it could be led by the organization.';
comment on constraint §{table}_pkey on §{home}.§{table} is 'The organization already has §{a_one} with this id.';
comment on constraint §{table}_organization_id_fkey on §{home}.§{table} is 'The organization does not exist.';
§{checks}comment on trigger touch on §{home}.§{table} is 'Keeps updated_at.';
§{fence_made}
commit;
