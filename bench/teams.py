"""A row of an organization beside a row of a user: the whole transaction, the statement alone, and how both grow."""

import secrets
import time
from dataclasses import dataclass
from functools import partial

import psycopg
from psycopg import pq
from sqlalchemy import text

from bench.growth import named
from bench.measuring import Figures, Measured, refuse_other_rows, take_turns
from bench.operations import Operation, pipelined
from bench.pgbench import latency
from bench.plans import plan, problems
from bench.world import world
from userscope import Database, Settings
from userscope.generate.table import Table
from userscope.generate.team import TeamTable
from userscope.postgres.url import ConnectionURL

EACH = 100
"""Rows of each user, and of each organization."""

CROWDED = 7
"""The organization that has so many members; each other one has its owner."""


@dataclass(frozen=True)
class Size:
    """So many organizations and as many users, each with rows of their own, and the members of one of them."""

    name: str
    organizations: int
    members: int


SMALL, LARGE = Size("small", 100, 10), Size("large", 10_000, 10_000)

_COLUMNS = ["title:text:200", "completed:boolean"]
_PLACES = {"user": "app.bench_notes", "organization": "app.bench_boards"}
_OPERATIONS = {
    "get": "select id, title, completed, created_at from {table} where id = :id",
    "page": "select id, title, completed, created_at from {table} order by created_at desc, id desc limit 20",
    "insert": "insert into {table} (title) values ('Buy milk') returning id",
}
_PEOPLE = """
insert into app.users (id, name, email)
select md5('user ' || number)::uuid, '', 'user' || number || '@example.org'
  from generate_series(1, %(organizations)s) as number;
insert into app.organizations (id, name, slug)
select md5('organization ' || number)::uuid, 'Acme', 'acme-' || number
  from generate_series(1, %(organizations)s) as number;
insert into app.members (organization_id, user_id, role)
select md5('organization ' || number)::uuid, md5('user ' || number)::uuid, 'owner'
  from generate_series(1, %(organizations)s) as number
union all
select md5('organization ' || %(crowded)s)::uuid, md5('user ' || number)::uuid, 'member'
  from generate_series(1, %(members)s) as number where number <> %(crowded)s
"""
_ROWS = """
insert into {table} ({whose}, id, title, created_at)
select md5('{kind} ' || number %% %(organizations)s + 1)::uuid{maker},
       md5('row ' || number / %(organizations)s || ' of ' || number %% %(organizations)s + 1)::uuid,
       'Something to do, in about as many words as people use', now() - number / %(organizations)s * interval '1 hour'
  from generate_series(0, %(organizations)s * %(each)s - 1) as number
"""
_WHOSE = {"user": ("owner_id", ""), "organization": ("organization_id, created_by", ", gen_random_uuid()")}


def main(*, quick: bool = False) -> Figures:
    """Look at the plans, then measure by turns: beside each other in the larger database, and it beside the smaller."""
    sizes = (SMALL, Size("large", 1_000, 1_000) if quick else LARGE)
    rounds = 3 if quick else 15
    figures = Figures()
    with world() as made:
        urls: dict[str, ConnectionURL] = {}
        for size in sizes:
            fill(made.database(size.name), size)
            urls[size.name] = made.url("service", size.name)
            if found := wrong(urls[size.name]):
                raise RuntimeError(f"plans are not led by the organization: {found}")
        service = Settings(_env_file=None, database_url=urls["large"].text())
        with psycopg.connect(urls["large"].conninfo()) as connection, Database(service) as database:
            for name in _OPERATIONS:
                kinds: dict[str, Measured] = {
                    kind: partial(latency, urls["large"], script(name, kind, sizes[1])) for kind in _PLACES
                }
                figures.take(take_turns(kinds, rounds).figures(("organization", "user")), f"transaction.{name}")
                if name != "insert":
                    kinds = {kind: partial(_read, database, name, kind, sizes[1]) for kind in _PLACES}
                    figures.take(take_turns(kinds, rounds).figures(("organization", "user")), f"reader.{name}")
                act(connection)
                if name != "insert":
                    refuse_other_rows({kind: _ids(connection, name, kind) for kind in _PLACES})
                kinds = {kind: partial(_statements, connection, name, kind) for kind in _PLACES}
                figures.take(take_turns(kinds, rounds * 4).figures(("organization", "user")), f"statement.{name}")
                kinds = {
                    size.name: partial(latency, urls[size.name], script(name, "organization", size)) for size in sizes
                }
                figures.take(take_turns(kinds, rounds).figures(("large", "small")), f"growth.{name}")
            kinds = {
                size.name: partial(latency, urls[size.name], script("get", "organization", size, crowded=True))
                for size in sizes
            }
            figures.take(take_turns(kinds, rounds).figures(("large", "small")), "growth.crowded")
    return figures


def fill(admin: ConnectionURL, size: Size) -> None:
    """Make both tables, alike but for whose the rows are; fill them, as a superuser, and analyze."""
    values = {**vars(size), "crowded": CROWDED, "each": EACH}
    tables = {
        "user": Table.of("bench_notes", _COLUMNS),
        "organization": TeamTable.of_organization("bench_boards", _COLUMNS),
    }
    with psycopg.connect(admin.conninfo(), autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute("set session_replication_role = replica")  # foreign keys hold by construction
        connection.execute(_PEOPLE, values)
        for kind, table in tables.items():
            whose, maker = _WHOSE[kind]
            scripts = table.scripts("schema", "policies")
            for project in ("schema", "policies"):
                connection.execute(scripts[project, "deploy"].encode())
            connection.execute(f"create index on {_PLACES[kind]} ({whose.split(',')[0]}, created_at, id)".encode())
            connection.execute(_ROWS.format(table=_PLACES[kind], kind=kind, whose=whose, maker=maker).encode(), values)
        connection.execute("vacuum (analyze)")


def act(connection: psycopg.Connection[object], person: int = CROWDED, organization: int = CROWDED) -> None:
    """Let a new transaction act for a user in an organization."""
    connection.rollback()
    connection.execute("select app.set_user_id(%s)", [named(f"user {person}")])
    connection.execute("select app.set_organization_id(%s)", [named(f"organization {organization}")])


def wrong(service: ConnectionURL) -> dict[str, list[str]]:
    """What is wrong with the plan of each operation on an organization's rows, as a member sees it."""
    with psycopg.connect(service.conninfo()) as connection:
        act(connection)
        found = {
            name: problems(asked, plan(connection, asked, id=named(f"row 3 of {CROWDED}")), "organization_id")
            for name, asked in ((name, _operation(name, "organization")) for name in _OPERATIONS)
        }
    return {name: each for name, each in found.items() if each}


def _operation(name: str, kind: str) -> Operation:
    statement = _OPERATIONS[name].format(table=_PLACES[kind])
    return Operation(name, statement, statement, writes=name == "insert")


def script(name: str, kind: str, size: Size, *, crowded: bool = False) -> str:
    """A transaction as our sessions send it, from the clean slate on: a random user's, in their own organization."""
    identity = (
        "select app.set_user_id(md5('user ' || :number)), pg_catalog.set_config('statement_timeout', '30s', true)"
    )
    if kind == "organization":
        where = CROWDED if crowded else ":number"
        identity += f", app.set_organization_id(md5('organization ' || {where}))"
    which = f"md5('row ' || :which || ' of ' || {CROWDED if crowded else ':number'})::uuid"
    statement = _operation(name, kind).as_user.replace(":id", which)
    most = size.members if crowded else size.organizations
    choice = f"\\set number random(1, {most})\n\\set which random(0, {EACH - 1})\n"
    return choice + pipelined("discard all", "begin", identity, statement, "rollback" if name == "insert" else "commit")


def _read(database: Database, name: str, kind: str, size: Size) -> float:
    """A read as a service makes it, from taking a connection to giving it back: what one of a hundred takes."""
    statement = text(_operation(name, kind).as_user)
    chosen = [(1 + secrets.randbelow(size.organizations), secrets.randbelow(EACH)) for _ in range(100)]
    asked = [
        (named(f"user {number}"), named(f"organization {number}"), {"id": named(f"row {which} of {number}")})
        for number, which in chosen
    ]
    began = time.perf_counter()
    for user, organization, values in asked:
        with database.reader(user, organization_id=organization if kind == "organization" else None) as session:
            session.connection().execute(statement, values if name == "get" else {}).all()
    return (time.perf_counter() - began) / 100


def _statement(name: str, kind: str) -> str:
    return _operation(name, kind).as_user.replace(":id", f"'{named(f'row 3 of {CROWDED}')}'")


def _ids(connection: psycopg.Connection[tuple[object, ...]], name: str, kind: str) -> object:
    """Which rows it reads: a user's and an organization's have the same ids."""
    return [row[0] for row in connection.execute(_statement(name, kind).encode()).fetchall()]


def _statements(connection: psycopg.Connection[object], name: str, kind: str) -> float:
    """Fifty of a statement in one message, each planned anew, for whom the transaction acts: what one takes."""
    statement = _statement(name, kind)
    began = time.perf_counter()
    result = connection.pgconn.exec_("; ".join([statement] * 50).encode())
    took = time.perf_counter() - began
    if result.status != pq.ExecStatus.TUPLES_OK:
        raise RuntimeError(result.error_message)
    return took / 50
