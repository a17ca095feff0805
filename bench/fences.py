"""One's own rows behind a fence and without one, few of them and many: each operation, in the server."""

import secrets
import time
from functools import partial

import psycopg
from psycopg import pq

from bench.measuring import Figures, refuse_other_rows, take_turns
from bench.operations import opening
from bench.world import world
from userscope.generate.table import Table
from userscope.postgres.url import ConnectionURL

SIZES = (10, 100, 1_000, 10_000)
"""Rows of one's own, of some hundred thousand in the table."""

OTHERS = 90_000
_COLUMNS = ["title:text:200", "description:text:10000:null", "completed:boolean", "due_at:timestamptz:null"]
_EVERY = "owner_id, id, title, description, completed, due_at, created_at, updated_at"

OPERATIONS = {
    "get": ("select {every} from {table} where id = {id}", "select {every} from app.fenced_notes_by_id({id})"),
    "page": (
        "select {every} from {table} order by created_at desc, id desc limit 20",
        "select {every} from app.fenced_notes_page(20)",
    ),
    "count": ("select count(*) from {table}", None),
    "insert": ("insert into {table} (title) values ('Buy milk') returning id, created_at", None),
    "update": ("update {table} set completed = not completed where id = {id} returning updated_at", None),
    "delete": ("delete from {table} where id = {id}", None),
}
"""On the table or the view of a fence, and by a function with parameters where there is one."""

_FILL = """
insert into {table} (owner_id, id, title, created_at)
select md5('user ' || size)::uuid, md5('row ' || number || ' of ' || size)::uuid, 'Something to do, in some words',
       now() - number * interval '1 hour'
  from unnest(%(sizes)s::int[]) as size, generate_series(0, size - 1) as number
union all
select md5('other ' || number %% 900)::uuid, gen_random_uuid(), 'Something to do, in some words', now()
  from generate_series(1, %(others)s) as number
"""
_USERS = """
insert into app.users (id, name, email)
select md5(name)::uuid, '', replace(name, ' ', '') || '@example.org'
  from (select 'user ' || size from unnest(%(sizes)s::int[]) as size
        union all select 'other ' || number from generate_series(0, 899) as number) as names (name)
"""


def main(*, quick: bool = False) -> Figures:
    """Measure each operation by turns: on a table, through a fence before one like it, and by the fence's function."""
    sizes = SIZES[:2] if quick else SIZES
    figures = Figures()
    with world() as made:
        fill(made.url("admin"), sizes, 900 if quick else OTHERS)
        with psycopg.connect(made.url("service").conninfo(), autocommit=True, prepare_threshold=None) as connection:
            for size in sizes:
                for name, (statement, function) in OPERATIONS.items():
                    ways = {"plain": statement, "fence": statement, **({"function": function} if function else {})}
                    tables = {way: "fenced_notes" if way == "fence" else "plain_notes" for way in ways}
                    if statement.startswith("select"):
                        refuse_other_rows({way: _rows(connection, size, ways[way], tables[way]) for way in ways})
                    kinds = {way: partial(_once, connection, size, ways[way], tables[way]) for way in ways}
                    taken = take_turns(kinds, 5 if quick else max(50, 400_000 // max(size, 1_000)))
                    figures.take(taken.figures(*((way, "plain") for way in ways if way != "plain")), f"{size}.{name}")
    return figures


def fill(admin: ConnectionURL, sizes: tuple[int, ...], others: int) -> None:
    """Make both tables, alike but for the fence, with users who have so many rows."""
    values = {"sizes": list(sizes), "others": others}
    with psycopg.connect(admin.conninfo(), autocommit=True) as connection:
        connection.execute(_USERS, values)
        for table in (Table.of("plain_notes", _COLUMNS), Table.of("fenced_notes", _COLUMNS, fenced=True)):
            scripts = table.scripts("schema", "policies")
            for project in ("schema", "policies"):
                connection.execute(scripts[project, "deploy"].encode())
            home = f"{'app_fenced' if table.fenced else 'app'}.{table.name}"
            if not table.fenced:
                connection.execute(f"create index on {home} (owner_id, created_at, id)".encode())
            connection.execute(_FILL.format(table=home).encode(), values)
            connection.execute(f"vacuum (analyze) {home}".encode())


def _asked(size: int, which: int, statement: str, table: str) -> tuple[str, str, str]:
    """How a transaction of the user with so many rows begins and whose it is, and the statement on one of the rows."""
    begin, identity = opening()
    text = statement.format(every=_EVERY, table=f"app.{table}", id=f"md5('row {which} of {size}')::uuid")
    return begin, identity.replace(":owner", f"md5('user {size}')"), text


def _rows(connection: psycopg.Connection[tuple[object, ...]], size: int, statement: str, table: str) -> object:
    """What it reads: whose each row is and its id, since when each was made is its table's own."""
    _, identity, text = _asked(size, 0, statement, table)
    with connection.transaction():
        connection.execute(identity.encode())
        return [row[:2] for row in connection.execute(text.encode()).fetchall()]


def _once(connection: psycopg.Connection[tuple[object, ...]], size: int, statement: str, table: str) -> float:
    """What one takes, in a transaction that is taken back: everything in one message, planned anew."""
    message = "; ".join((*_asked(size, secrets.randbelow(size), statement, table), "rollback")).encode()
    connection.pgconn.exec_(b"discard all")  # the clean slate of our sessions: no plan of a function is left either
    began = time.perf_counter()
    result = connection.pgconn.exec_(message)
    took = time.perf_counter() - began
    if result.status != pq.ExecStatus.COMMAND_OK:
        raise RuntimeError(result.error_message)
    return took
