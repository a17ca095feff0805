-- Deploy §{schema}:§{table} to pg
§{requires}§{requires_parent}
begin;

create table §{home}.§{table} (
§{columns}    primary key (§{key}, id)§{parent_key}
);

-- Closed until a policy opens it, to its owner as well.
alter table §{home}.§{table} enable row level security, force row level security;

-- EXPLAIN must not tell how many rows another §{whose} has, or which values occur.
alter table §{home}.§{table}
§{statistics};

create trigger touch before update on §{home}.§{table} for each row execute function app.touch();

comment on table §{home}.§{table} is '§{A_one}. Belongs to one §{whose}§{goes}.';
§{made_by}comment on constraint §{table}_pkey on §{home}.§{table} is '§{You_have} §{a_one} with this id.';
§{owner_comment}§{parent_comment}§{checks}comment on trigger touch on §{home}.§{table} is 'Keeps updated_at.';
§{parent_index}§{fence_made}
commit;
