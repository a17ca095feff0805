-- Verify schema:users on pg

begin;

select app_private.verify_table('schema:users', 'app.users', $$
    row-level security enabled and forced, owned by the owner of the schema
    column id uuid not null default gen_random_uuid() statistics 0
    column name text not null statistics 0
    column email text not null statistics 0
    column email_verified boolean not null default false statistics 0
    column image text statistics 0
    column username text statistics 0
    column display_username text statistics 0
    column created_at timestamp with time zone not null default now() statistics 0
    column updated_at timestamp with time zone not null default now() statistics 0
    constraint users_email_check CHECK (((email ~ '^[!-@[-~]+$'::text) AND (char_length(email) <= 254)))
    constraint users_email_key UNIQUE (email)
    constraint users_pkey PRIMARY KEY (id)
    constraint users_username_check CHECK ((username ~ '^[a-z0-9_.]{3,30}$'::text))
    constraint users_username_key UNIQUE (username)
    CREATE TRIGGER touch BEFORE UPDATE ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch()
$$);

select app_private.verify_table('schema:users', 'app.account', $$
    view of app_gate, {security_barrier=true}: SELECT id, name, email, email_verified, image, username, display_username, created_at, updated_at FROM app.users OFFSET 0;
    CREATE TRIGGER write INSTEAD OF UPDATE ON app.account FOR EACH ROW EXECUTE FUNCTION app_fenced.write_account()
$$);

select app_private.verify_function('schema:users', 'app_fenced.write_account()', $$
    owned by app_gate
    plpgsql volatile security definer {"search_path=pg_catalog, pg_temp"}
    body with md5 e731b3ebbfb9ee79962933334546a17b
$$);

-- A trigger asks for no right to its function: nobody has one.
select app_private.verify_execution('schema:users', 'app_fenced.write_account()', '');

rollback;
