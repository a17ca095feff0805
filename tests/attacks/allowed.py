"""What is not promised: attacks that work, sealed too, each shown to work and with the reason why it is let be."""

from tests.attacks.attack import Attack, Outcome

_ANALYZE = "explain (analyze, costs off, timing off, summary off, buffers off)"
_NO_WAY = "PostgreSQL has no way to hide it. It tells totals over all users, never whose."
_DENIAL = "Denial of service among sessions of one login; it reads and writes nothing."
_OWN_LOGIN = "PostgreSQL lets every role do this to itself."


def _allowed(name: str, steps: tuple[str, ...], because: str, trophy: str = "") -> Attack:
    return Attack(name, steps, unsealed=Outcome.WORKS, sealed=Outcome.WORKS, trophy=trophy, because=because)


ATTACKS = [
    _allowed(
        "how many rows all users have: reltuples",
        ("select 'total ' || reltuples::int from pg_class where oid = 'app.todos'::regclass",),
        _NO_WAY,
        "total 825",
    ),
    _allowed(
        "how many rows all users have: EXPLAIN ANALYZE",
        (
            "set local enable_indexscan = off",
            "set local enable_bitmapscan = off",
            f"{_ANALYZE} select 1 from app.todos",
        ),
        _NO_WAY,
        "Rows Removed by Filter: 822",
    ),
    _allowed(
        "how many rows all users have: pg_stat_user_tables",
        ("select 'scans ' || (seq_scan >= 0) from pg_stat_user_tables where relname = 'todos'",),
        _NO_WAY,
        "scans true",
    ),
    _allowed(
        "where one's own rows lie among everybody's: pages in pg_locks",
        (
            "select set_config('app.user_id', current_setting('app.user_id'), false) is null",
            "select set_config('app.user_seal', current_setting('app.user_seal'), false) is null",
            "commit",
            "begin isolation level serializable",
            "set local enable_seqscan = off",
            "select 1 from app.todos",
            "select 1 from app.secrets",
            "select 'pages of ' || count(distinct relation) from pg_locks join pg_class on pg_class.oid = relation where pid = pg_backend_pid() and mode = 'SIReadLock' and page is not null and relname ~ '^(todos|secrets)_'",
        ),
        "PostgreSQL shows every session its own locks. It tells, by some hundred, how many rows of everybody's sort before one's own, behind a fence too; never whose.",
        "pages of 2",
    ),
    _allowed(
        "how large the tables are", ("select 'large ' || (pg_table_size('app.todos') > 8192)",), _NO_WAY, "large true"
    ),
    _allowed(
        "how busy the server is: WAL position and transaction ids",
        (
            "select 'busy ' || (pg_current_wal_lsn() > '0/0' and pg_snapshot_xmax(pg_current_snapshot())::text::int > 0)",
        ),
        _NO_WAY,
        "busy true",
    ),
    _allowed(
        "statements that run now under the same login",
        ("select 'read: ' || query from pg_stat_activity where pid <> pg_backend_pid() and usename = current_user",),
        "PostgreSQL shows a role its own sessions. Values and seals are bound, so no statement holds any.",
        "what bob asks",
    ),
    _allowed(
        "change the password of the service's own login",
        ("alter role current_user password 'evil'",),
        _OWN_LOGIN + " Services fail until the owner sets it anew; the stolen login shows no rows without a seal.",
    ),
    _allowed(
        "give the service's own login settings",
        ("alter role current_user set timezone = 'Asia/Tokyo'",),
        _OWN_LOGIN + " A connection that carries any is refused before it serves (RoleBypassesRLS), but for the "
        "`search_path = app` of a login of app_auth.",
    ),
    _allowed(
        "cancel or end another session of the same login",
        (
            "select 'ended ' || pg_cancel_backend(pid) from pg_stat_activity where usename = current_user and pid <> pg_backend_pid()",
        ),
        _DENIAL,
        "ended true",
    ),
    _allowed(
        "lock a whole table",
        (
            "lock table app.todos in access exclusive mode",
            "select 'locked' from pg_locks where relation = 'app.todos'::regclass and mode = 'AccessExclusiveLock'",
        ),
        _DENIAL,
        "locked",
    ),
    _allowed(
        "talk to other sessions: NOTIFY, advisory locks",
        (
            "listen evil",
            "notify evil",
            "select pg_advisory_lock(1)",
            "select 'held' from pg_locks where locktype = 'advisory'",
        ),
        "A covert channel between attackers who already are inside; no row is reached by it.",
        "held",
    ),
    _allowed(
        "hold the lock of migrations, on an idle connection too",
        (
            "select pg_advisory_lock(75474063)",
            "select 'held ' || objid from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
        ),
        "Any login may take any advisory lock. `userscope migrate` names who holds it: process, program, login, since "
        "when. It goes when the connection is used again, or ended.",
        "held 75474063",
    ),
    _allowed(
        "default privileges for tables that one will make",
        (
            "alter default privileges grant all on tables to public",
            "alter default privileges in schema app grant all on tables to app_user",
        ),
        _OWN_LOGIN + " It can make no table.",
    ),
    _allowed(
        "leave a large object behind",
        ("select lo_from_bytea(0, 'evil') > 0",),
        "Whoever may connect may make large objects (lo_compat_privileges aside); it holds what the attacker had.",
    ),
]
