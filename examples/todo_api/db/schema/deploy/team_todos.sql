-- Deploy example_schema:team_todos to pg
-- requires: schema:identity
-- requires: schema:organizations

begin;

create table app.team_todos (
    organization_id uuid        not null default app.current_organization_id()
                                constraint team_todos_organization_id_fkey references app.organizations on delete cascade,
    id              uuid        not null default gen_random_uuid(),
    title           text        not null constraint team_todos_title_check check (char_length(title) <= 200),
    completed       boolean     not null default false,
    created_by      uuid        not null default app.current_user_id(),
    created_at      timestamptz not null default now(),
    updated_at      timestamptz not null default now(),
    primary key (organization_id, id)
);

-- Closed until a policy opens it, to its owner as well.
alter table app.team_todos enable row level security, force row level security;

-- EXPLAIN must not tell how many rows another organization has, or which values occur.
alter table app.team_todos
    alter organization_id set statistics 0,
    alter id              set statistics 0,
    alter title           set statistics 0,
    alter completed       set statistics 0,
    alter created_by      set statistics 0,
    alter created_at      set statistics 0,
    alter updated_at      set statistics 0;

create trigger touch before update on app.team_todos for each row execute function app.touch();

comment on table app.team_todos is 'A team todo. Belongs to one organization, and goes when that goes.';
comment on column app.team_todos.created_by is 'Who made it: a bare id, which outlives the account. No index of it could be led by the organization.';
comment on constraint team_todos_pkey on app.team_todos is 'The organization already has a team todo with this id.';
comment on constraint team_todos_organization_id_fkey on app.team_todos is 'The organization does not exist.';
comment on constraint team_todos_title_check on app.team_todos is 'The title of a team todo has at most 200 characters.';
comment on trigger touch on app.team_todos is 'Keeps updated_at.';

commit;
