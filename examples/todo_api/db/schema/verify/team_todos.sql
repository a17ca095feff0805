-- Verify example_schema:team_todos on pg

begin;

select app_private.verify_table('example_schema:team_todos', 'app.team_todos', $$
    row-level security enabled and forced, owned by the owner of the schema
    column organization_id uuid not null default app.current_organization_id() statistics 0
    column id uuid not null default gen_random_uuid() statistics 0
    column title text not null statistics 0
    constraint team_todos_title_check CHECK ((char_length(title) <= 200))
    column completed boolean not null default false statistics 0
    column created_by uuid not null default app.current_user_id() statistics 0
    column created_at timestamp with time zone not null default now() statistics 0
    column updated_at timestamp with time zone not null default now() statistics 0
    constraint team_todos_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES app.organizations(id) ON DELETE CASCADE
    constraint team_todos_pkey PRIMARY KEY (organization_id, id)
    CREATE TRIGGER touch BEFORE UPDATE ON app.team_todos FOR EACH ROW EXECUTE FUNCTION app.touch()
$$);

rollback;
