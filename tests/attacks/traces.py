"""Traces: what one session of a login shows of another, over the same connection afterwards or beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

_TOTALS = "It tells how much another session did, never what: no value, and no owner."


@dataclass(frozen=True)
class Trace:
    """What is told. ``left``: Bob's work; ``seen``: what Alice asks then, whose answer begins with ``told``.

    ``beside``: she asks over a connection of her own while his transaction is open, and not over his, wiped, after it.
    ``by_alice``: it is she who leaves something, for him. ``needs``: what an adopter made. ``since``: the first version.
    """

    name: str
    left: Sequence[str]
    seen: str
    told: str
    because: str
    beside: bool = False
    by_alice: bool = False
    needs: str = ""
    since: int = 15


_STRICT = (
    "create function app.one(secret text) returns text language plpgsql as $$ declare found_title text;begin "
    "select title into strict found_title from app.todos where title = secret;return found_title;end $$"
)
_DIGITS = (
    "create function app.digits(value text) returns boolean language {language} volatile set work_mem = '4MB' as "
    r"$$ {body} $$"
)
_REREAD = ("set standard_conforming_strings = off", "set escape_string_warning = off", "select app.digits('123')")
_PINNED = "`set standard_conforming_strings = on` on the function cures it."

TRACES = [
    Trace(
        "a backslash in the body of a PL/pgSQL function means what an earlier borrower's settings said",
        _REREAD, "select 'digits ' || app.digits('123')", "digits false",
        f"A function is compiled once for a connection. Ours have no backslash; of yours `userscope audit` warns "
        f"(function_backslash). {_PINNED}",
        by_alice=True, needs=_DIGITS.format(language="plpgsql", body=r"begin return value ~ '^\d+$';end"),
    ),
    Trace(
        "a backslash in the text of an SQL function, likewise",
        _REREAD, "select 'digits ' || app.digits('123')", "digits false",
        f"PostgreSQL 18 keeps what it has read of one for a connection, as it does for PL/pgSQL. {_PINNED} A body "
        "without quotes (`return …`, `begin atomic`) is read once, when it is made.",
        by_alice=True, since=18, needs=_DIGITS.format(language="sql", body=r"select 1;select value ~ '^\d+$'"),
    ),
    Trace(
        "an error of a PL/pgSQL function shows its parameters: plpgsql.print_strict_params",
        ("set plpgsql.print_strict_params = on", "select app.one('hers')"), "select app.one('his')",
        "P0002: query returned no rows parameters: secret = 'his'",
        "A function is compiled once for a connection. It is its own caller who gets to see them, and who logs them; "
        "`#print_strict_params off` in the function prevents it.",
        by_alice=True, needs=_STRICT,
    ),
    Trace(
        "a custom setting that was ever set is empty afterwards, and not null",
        ("select set_config('shop.cart', 'hers', false)",), "select 'cart: ' || current_setting('shop.cart', true)", "cart: ",
        "Its value is gone, its name is not. Ask for `nullif(current_setting(…, true), '')`, as ours do.",
        by_alice=True,
    ),
    Trace(
        "how many rows the last borrower wrote and read: pg_stat_xact_user_tables",
        ("insert into app.todos (title) values ('one'), ('two'), ('three')",),
        "select 'wrote ' || n_tup_ins from pg_stat_xact_user_tables where relid = 'app.todos'::regclass", "wrote 3",
        f"A server process reports its counters once in a second, and until then shows them. {_TOTALS}",
    ),
    Trace(
        "how much another session reads under SERIALIZABLE: its predicate locks",
        ("select count(*) from app.todos",),
        "select 'locks ' || (count(*) > 0) from pg_locks where mode = 'SIReadLock' and pid <> pg_backend_pid()",
        "locks true", f"pg_locks shows them to everybody; other levels take none. {_TOTALS}", beside=True,
    ),
    Trace(
        "how many rows another session copies: pg_stat_progress_copy",
        ("copy (select repeat(title, 100000) from app.todos) to stdout",),
        "select 'copies ' || command from pg_stat_progress_copy where pid <> pg_backend_pid()", "copies COPY TO",
        f"PostgreSQL shows a role its own sessions. {_TOTALS}", beside=True,
    ),
    Trace(
        "how much another session writes: pg_stat_get_backend_wal",
        ("insert into app.todos (title, description) select 'long', repeat('long ', 100) from generate_series(1, 1000)",
         "select pg_stat_force_next_flush()", "commit"),
        "select 'wal ' || (sum(wal_bytes) > 500000) from pg_stat_activity, pg_stat_get_backend_wal(pid) "
        "where usename = current_user and pid <> pg_backend_pid()", "wal true",
        f"PostgreSQL 18 counts for each server process, for everybody to read. {_TOTALS}", beside=True, since=18,
    ),
    Trace(
        "how many pages another session touches: pg_stat_get_backend_io",
        ("insert into app.todos (title, description) select 'long', repeat('long ', 100) from generate_series(1, 3000)",
         "select pg_stat_force_next_flush()", "commit"),
        "select 'pages ' || (sum(hits) > 10000) from pg_stat_activity, pg_stat_get_backend_io(pid) "
        "where usename = current_user and pid <> pg_backend_pid()", "pages true",
        f"PostgreSQL 18 counts for each server process, for everybody to read. {_TOTALS}", beside=True, since=18,
    ),
]  # fmt: skip
