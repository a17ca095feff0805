"""Trespassing: every command and every function that reaches rows, aimed at Bob's; a part of escalation.

The hole of each is a grant, a policy or row-level security of its table.
"""

from tests.attacks.attack import SESSIONS, Attack, Change

_TRESPASSES: list[tuple[str, tuple[str, ...], Change]] = [
    (
        "give a row away: UPDATE of owner_id",
        (
            "update app.todos set owner_id = '{bob}'",
            "update app.todos set owner_id = '{bob}' where title = 'ali secret 1'",
        ),
        "grant update on app.todos to app_user; drop policy update_own on app.todos; "
        "create policy evil on app.todos for update to app_user using (true) with check (true)",
    ),
    (
        "plant a row: INSERT with owner_id",
        (
            "insert into app.todos (owner_id, title) values ('{bob}', 'planted')",
            "copy app.todos (owner_id, title) from program 'echo'",
            "insert into app.todos (owner_id, title) select id, 'planted' from app.account",
        ),
        "grant insert on app.todos to app_user; drop policy insert_own on app.todos; "
        "create policy evil on app.todos for insert to app_user with check (true)",
    ),
    (
        "upsert over Bob's row",
        (
            "insert into app.todos (id, title) values ('{bob_todo}', 'upserted') "
            "on conflict (owner_id, id) do update set title = 'upserted'",
            "delete from app.todos where title = 'upserted'",
        ),
        "alter table app.todos disable row level security, alter owner_id set default '{bob}'",
    ),
    (
        "MERGE over Bob's rows",
        (
            "merge into app.todos as t using (values ('{bob}'::uuid)) as v (b) on t.owner_id = v.b "
            "when matched then update set title = 'merged'",
            "merge into app.todos as t using (values (1)) as v (b) on t.owner_id = '{bob}' when matched then delete",
        ),
        "alter table app.todos disable row level security",
    ),
    (
        "bare UPDATE and DELETE",
        ("update app.todos set title = 'all mine'", "delete from app.todos"),
        "alter table app.todos disable row level security",
    ),
    ("TRUNCATE", ("truncate app.todos", "truncate app.users cascade"), "grant truncate on app.todos to app_user"),
    (
        "delete the user, and with them all they own",
        ("delete from app.users where id = '{bob}'", "delete from app.users"),
        "grant delete on app.users to app_user; alter table app.users disable row level security",
    ),
    (
        "make or rename an account",
        (
            "insert into app.users (name, email) values ('e', 'e@example.com')",
            "update app.users set email = '{bob_email}', username = 'evil'",
            "update app.users set id = '{bob}'",
            "update app.users set name = 'evil' where id = '{bob}'",
            "update app.account set id = '{bob}', email = '{bob_email}'",
            "update app.account set name = 'evil'",
            "insert into app.account (id, name) values ('{bob}', 'evil')",
            "delete from app.account",
        ),
        "grant select, update on app.users to app_user; alter table app.users disable row level security",
    ),
    (
        "sessions, passwords, verifications, keys of JWTs",
        (
            SESSIONS,
            "select password from app.accounts",
            "select value from app.verifications",
            "select private_key from app.jwks",
            "copy app.sessions (token) to stdout",
            "delete from app.sessions",
            "insert into app.sessions (user_id, token, expires_at) values ('{bob}', 'evil', now())",
        ),
        "grant select, insert, delete on app.sessions to app_user; alter table app.sessions disable row level security",
    ),
    (
        "lock and read: SELECT … FOR UPDATE",
        (
            "select title from app.todos where owner_id = '{bob}' for update",
            "select title from app.todos for key share",
            "select title from app.todos for share skip locked",
        ),
        "alter table app.todos disable row level security",
    ),
    (
        "COPY",
        (
            "copy app.todos (title) to stdout",
            "copy (select title from app.todos) to stdout",
            "copy (table app.users) to stdout",
            "copy (table app.account) to stdout",
        ),
        "alter table app.todos disable row level security",
    ),
    (
        "SQL inside of functions",
        (
            "select word from ts_stat('select to_tsvector(''simple'', title) from app.todos')",
            "select query_to_xml('select title from app.todos', true, false, '')",
            "select table_to_xml('app.todos', true, false, '')",
            "select schema_to_xml('app', true, false, '')",
            "select database_to_xml(true, false, '')",
            "select word from ts_stat('select to_tsvector(title) from app.todos')",
            "do $$ declare t text; begin execute 'select string_agg(title, '','') from app.todos' into t; raise exception '%', t; end $$",
        ),
        "grant select on app.todos to app_user; alter table app.todos disable row level security",
    ),
    (
        "values in errors",
        (
            "select title::int from app.todos",
            "select 1 / (title = 'x')::int from app.todos",
            "select title::int from app.todos where owner_id = '{bob}'",
            "select xpath(title, '<a/>') from app.todos where owner_id <> '{alice}'",
            "select title::regclass from app.todos where owner_id <> '{alice}'",
            "select title::jsonb from app.todos where owner_id <> '{alice}'",
            "select 1 from app.todos where title::int > 0 and owner_id <> '{alice}'",
            "select 1 from app.account where name::int > 0 and id <> '{alice}'",
            "select 1 from app.todos as t join (values ('x')) as v (x) on t.title::int = 1 and t.owner_id <> '{alice}'",
        ),
        "alter table app.todos disable row level security",
    ),
    (
        "a leaky function before the policy",
        (
            "set local enable_seqscan = off",
            "set local enable_indexscan = off",
            "select 1 from app.todos where pg_notify(title, title) is not null and title ~ 'secret' and to_tsvector(title) is not null",
            "select 1 from app.account where set_config('app.loot', coalesce(current_setting('app.loot', true), '') || name, true) is null",
            "select 1 from app.todos where set_config('app.loot', coalesce(current_setting('app.loot', true), '') || title, true) is null",
            "select current_setting('app.loot', true)",
        ),
        "alter table app.todos disable row level security",
    ),
]

ATTACKS = [Attack(name, steps, hole=hole) for name, steps, hole in _TRESPASSES]
