-- Verify schema:todos on pg

begin;

select app_private.verify_table('schema:todos', 'app.todos', $$
    row-level security enabled and forced, owned by the owner of the schema
    column owner_id uuid not null default app.current_user_id() statistics 0
    column id uuid not null default gen_random_uuid() statistics 0
    column title text not null statistics 0
    column description text statistics 0
    column completed boolean not null default false statistics 0
    column due_at timestamp with time zone statistics 0
    column created_at timestamp with time zone not null default now() statistics 0
    column updated_at timestamp with time zone not null default now() statistics 0
    constraint todos_description_check CHECK ((char_length(description) <= 10000))
    constraint todos_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES app.users(id) ON DELETE CASCADE
    constraint todos_pkey PRIMARY KEY (owner_id, id)
    CREATE INDEX todos_owner_id_created_at_id_idx ON app.todos USING btree (owner_id, created_at DESC, id)
    CREATE INDEX todos_owner_id_due_at_idx ON app.todos USING btree (owner_id, due_at) WHERE (NOT completed)
    CREATE TRIGGER touch BEFORE UPDATE ON app.todos FOR EACH ROW EXECUTE FUNCTION app.touch()
    constraint todos_title_check CHECK (((char_length(title) <= 200) AND (btrim(title, '$$
        || '<U+0009><U+000A><U+000B><U+000C><U+000D><U+001C><U+001D><U+001E><U+001F> <U+0085><U+00A0><U+1680>'
        || '<U+2000><U+2001><U+2002><U+2003><U+2004><U+2005><U+2006><U+2007><U+2008><U+2009><U+200A>'
        || '<U+2028><U+2029><U+202F><U+205F><U+3000>' || $$'::text) <> ''::text)))
$$);

rollback;
