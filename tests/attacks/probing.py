"""Probing: what plans, statistics, positions, errors and system views tell of rows that a policy hides."""

from tests.attacks.attack import Aim, Attack, Change

_STATISTICS = """
alter table app.todos alter owner_id set statistics -1, alter title set statistics -1, alter created_at set statistics -1,
    alter id set statistics -1, alter due_at set statistics -1, alter completed set statistics -1;
alter table app.users alter id set statistics -1, alter name set statistics -1, alter email set statistics -1;
analyze app.todos, app.users
"""
_ANALYZE = "explain (analyze, costs off, timing off, summary off, buffers off)"
_WHOLE = "grant select on app.todos to app_user"
_OPEN = "alter table app.todos disable row level security"
_OPEN_USERS = "alter table app.users disable row level security"

_PROBES: list[tuple[str, tuple[str, ...], Change]] = [
    (
        "EXPLAIN: how many rows Bob has",
        (
            "explain select 1 from app.todos where owner_id = '{bob}'",
            "explain update app.todos set completed = true where owner_id = '{bob}'",
            "explain delete from app.todos where owner_id in ('{bob}', '{alice}')",
        ),
        _STATISTICS,
    ),
    (
        "EXPLAIN: whether a title occurs",
        (
            "explain select 1 from app.todos where owner_id = '{bob}' and title = 'bob secret 1'",
            "explain select 1 from app.todos where title like 'bob%'",
        ),
        _STATISTICS,
    ),
    (
        "EXPLAIN: ranges of ids, times and addresses",
        (
            "explain select 1 from app.todos where owner_id between 'bbbbbbbb-0000-4000-8000-000000000000' and 'bbbbbbbb-ffff-4000-8000-000000000000'",
            "explain select 1 from app.todos where id < '{bob_todo}'",
            "explain select 1 from app.todos where created_at > '2026-01-02'",
            "explain select 1 from app.todos where owner_id >= '{bob}'",
            "explain select 1 from app.account where id <= '{bob}'",
            "explain select 1 from app.account where email > '{bob_email}'",
        ),
        _STATISTICS,
    ),
    (
        "EXPLAIN: joins and groups",
        (
            "explain select 1 from app.todos as a join app.todos as b on a.owner_id = b.owner_id where b.owner_id = '{bob}'",
            "explain select owner_id from app.todos where owner_id = '{bob}' group by owner_id, title",
        ),
        _STATISTICS,
    ),
    (
        "EXPLAIN ANALYZE: rows of Bob's that a plan met",
        tuple(
            step
            for off in (
                "",
                "set local enable_seqscan = off",
                "set local enable_indexscan = off",
                "set local enable_bitmapscan = off",
            )
            for step in (
                off or "select 1",
                "explain (analyze, timing off, summary off, buffers off) select 1 from app.todos where owner_id = '{bob}'",
                "explain (analyze, timing off, summary off, buffers off) select 1 from app.todos where id = '{bob_todo}'",
                "explain (analyze, timing off, summary off, buffers off) select 1 from app.todos where owner_id = '{bob}' and due_at > now() and not completed",
            )
        ),
        _OPEN,
    ),
    (
        "EXPLAIN ANALYZE: pages of Bob's that a plan read",
        tuple(
            "explain (analyze, timing off, summary off, buffers on) " + query
            for query in (
                "select 1 from app.todos where owner_id = '{bob}'",
                "select 1 from app.todos where owner_id = '{bob}' and id = '{bob_todo}'",
                "update app.todos set completed = completed where owner_id = '{bob}'",
            )
            for _ in range(2)
        ),
        _OPEN,
    ),
    (
        "statistics: pg_stats and its kin",
        (
            "select tablename, attname, n_distinct, most_common_vals, most_common_freqs, histogram_bounds from pg_stats where schemaname = 'app'",
            "select stavalues1 from pg_statistic",
            "select * from pg_stats_ext",
            "analyze app.todos",
            "alter table app.todos alter owner_id set statistics 100",
            "create statistics app.evil on owner_id, title from app.todos",
        ),
        _STATISTICS + "; alter table app.todos disable row level security",
    ),
    (
        "positions: ctid, xmin, tableoid, TID scans",
        (
            "select ctid, xmin from app.todos",
            "select ctid from app.todos where ctid = '(0,20)'",
            "select xmax, cmin, tableoid from app.account",
            "select 1 from app.todos where ctid >= '(0,0)' and owner_id = '{bob}'",
            "explain (analyze, timing off, summary off, buffers off) select 1 from app.todos where ctid = '(0,20)'",
        ),
        _WHOLE + "; " + _OPEN,
    ),
    (
        "positions: currtid2",
        (
            "select currtid2('app.todos', ctid) from (values ('(0,1)'::tid), ('(0,2)'), ('(0,3)'), ('(9,20)')) as v (ctid)",
            "select currtid2('app.todos', format('(%s,%s)', a, b)::tid) from generate_series(0, 9) as a, generate_series(1, 60) as b",
        ),
        _WHOLE + "; update app.todos set title = title where owner_id = '{bob}'",
    ),
    (
        "a taken id: unique violations",
        (
            "insert into app.todos (id, title) values ('{bob_todo}', 'probe')",
            "delete from app.todos where title = 'probe'",
            "insert into app.todos (id, title) values ('{bob_todo}', 'probe') on conflict do nothing returning title",
            "delete from app.todos where title = 'probe'",
        ),
        "alter table app.todos drop constraint todos_pkey; alter table app.todos add primary key (id)",
    ),
    (
        "a foreign key: does a user exist",
        (
            "insert into app.todos (owner_id, title) values ('{ghost}', 'probe')",
            "insert into app.sessions (user_id, token, expires_at) values ('{ghost}', 'probe', now())",
            "delete from app.sessions where token = 'probe'",
        ),
        _OPEN_USERS + "; grant insert, select, delete on app.sessions to app_user; "
        "alter table app.sessions disable row level security",
    ),
    (
        "an index on addresses: is this e-mail address or username taken",
        tuple(
            step
            for relation in ("account", "users")
            for column, value in (("email", "ghost_email"), ("username", "ghost_username"))
            for step in (
                "set local enable_seqscan = off",
                f"{_ANALYZE} select 1 from app.{relation} where {column} = '{{{value}}}'",
                f"{_ANALYZE} select 1 from app.{relation} where {column} >= '{{{value}}}' order by {column}",
                f"insert into app.{relation} (name, {column}) values ('', '{{{value}}}')",
                f"update app.{relation} set {column} = '{{{value}}}'",
            )
        ),
        "grant select (id, email, username) on app.users to app_user; "
        "create policy evil on app.users for select to app_user using (id = (select app.current_user_id()))",
    ),
    (
        "counting, sampling, existence",
        (
            "select count(*) from app.todos",
            "select count(*) from app.todos tablesample system (100)",
            "select exists (select from app.todos where id = '{bob_todo}')",
            "select exists (select from app.account where id = '{ghost}')",
            "update app.account set name = name where id = '{ghost}'",
            "select 1 from app.account where id = '{ghost}' for update",
            "select max(created_at), min(due_at) from app.todos",
            "select n_distinct from pg_stats where tablename = 'todos'",
            "select 1 from app.account where email = '{bob_email}' for key share",
        ),
        _OPEN,
    ),
    (
        "system views: sizes, scans, tuples",
        (
            "select relname, reltuples, relpages from pg_class where relnamespace = to_regnamespace('app') order by 1",
            "select pg_relation_size('app.todos'), pg_table_size('app.users')",
            "select n_live_tup from pg_stat_user_tables where relname = 'todos'",
            "select usename, state, wait_event_type from pg_stat_activity where usename = current_user and datname = current_database() and pid <> pg_backend_pid() order by 1, 2, 3",
        ),
        "alter table app.todos set (autovacuum_enabled = off); delete from app.todos where owner_id = '{bob}'; vacuum analyze app.todos",
    ),
    (
        "locks on Bob's rows",
        (
            "select 1 from app.todos where owner_id = '{bob}' for update",
            "select locktype, mode, granted from pg_locks where pid = pg_backend_pid() and locktype in ('tuple', 'page') order by 1, 2",
        ),
        _OPEN,
    ),
]

ATTACKS = [Attack(name, steps, hole=hole, aim=Aim.TELL) for name, steps, hole in _PROBES]
