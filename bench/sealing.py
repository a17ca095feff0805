"""What a seal costs: reads sealed and unsealed, on a socket and at 1 ms, and the microseconds inside of the server."""

import time
from contextlib import ExitStack
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
from sqlmodel import select

from bench.distance import distant
from bench.growth import named
from bench.measuring import Figures, refuse_other_rows, take_turns
from bench.world import EACH, fill, world
from userscope.admin import seals
from userscope.database import Database
from userscope.identity import SealKey
from userscope.models import Todo
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings

READS, CALLS = 40, 10_000

_LOOP = f"do $$ begin for i in 1..{CALLS} loop perform {{}}; end loop; end $$"
WORK = {
    "helper": _LOOP.format("app.current_user_id()"),
    "empty_loop": _LOOP.format("pg_backend_pid()"),
    "insert": f"insert into app.todos (title) select 'x' from generate_series(1, {CALLS})",
}
"""What happens CALLS times: the helper, the loop around it, and a row's insertion, which asks the helper twice."""


def main(*, quick: bool = False) -> Figures:
    """Measure reads through a service, the helper and rows of an insert in the server, and a seal's making."""
    figures = Figures()
    with world({}) as made, ExitStack() as stack:
        # Two databases: in the second a seal is required, as it is wherever services seal.
        service, sealing = made.url("service"), made.url("service", "sealed")
        for admin in (made.url("admin"), made.database("sealed")):
            fill(admin, EACH, users=1)
        user = named("user 1")
        key, _ = seals.add(admin)
        seals.require(admin)
        services = {"unsealed": _service(service), "sealed": _service(sealing, key)}
        for opened in services.values():
            stack.enter_context(opened)
        refuse_other_rows({name: _ids(opened, user) for name, opened in services.items()})
        reads = {name: partial(_read, opened, user) for name, opened in services.items()}
        figures.take(take_turns(reads, 5 if quick else 31).figures(("sealed", "unsealed")), "read")
        with distant(1, service, sealing) as (far, further), ExitStack() as nearby:
            distantly = {"unsealed": _service(far), "sealed": _service(further, key)}
            for opened in distantly.values():
                nearby.enter_context(opened)
            reads = {name: partial(_read, opened, user) for name, opened in distantly.items()}
            figures.take(take_turns(reads, 3 if quick else 15).figures(("sealed", "unsealed")), "read_at_1_ms")
        with psycopg.connect(service.conninfo()) as one, psycopg.connect(sealing.conninfo()) as other:
            kinds = {
                f"{work}.{name}": partial(_inside, connection, user, seal, statement)
                for name, connection, seal in (("unsealed", one, ""), ("sealed", other, key.seal(user, life=3600)))
                for work, statement in WORK.items()
            }
            taken = take_turns(kinds, 3 if quick else 9)
        for work in WORK:
            calls = {name: taken.median(f"{work}.{name}") for name in services}
            figures.medians |= {f"{work}.{name}": round(took * 1e6, 1) for name, took in calls.items()}
        figures.ratios["insert.sealed/unsealed"] = round(taken.ratio("insert.sealed", "insert.unsealed"), 3)
        began = time.perf_counter()
        for _ in range(CALLS):
            key.seal(user)
        figures.medians["minting"] = round((time.perf_counter() - began) / CALLS * 1e6, 1)
    return figures


def _service(url: ConnectionURL, key: SealKey | None = None) -> Database:
    values: dict[str, Any] = {"userscope_seal_key": key.text()} if key else {}
    return Database(Settings(_env_file=None, database_url=url.text(), **values))


def _ids(service: Database, user: str) -> set[UUID]:
    with service.reader(user) as session:
        return set(session.exec(select(Todo.id)))


def _read(service: Database, user: str) -> float:
    began = time.perf_counter()
    for _ in range(READS):
        with service.reader(user) as session:
            session.exec(select(Todo).limit(20)).all()
    return (time.perf_counter() - began) / READS


def _inside(connection: psycopg.Connection, user: str, seal: str, statement: str) -> float:
    """Seconds for one of the CALLS that ``statement`` makes in the server; what it wrote is taken back."""
    connection.execute("select app.set_user_id(%s, %s)", [user, seal])
    began = time.perf_counter()
    connection.execute(statement.encode())
    took = (time.perf_counter() - began) / CALLS
    connection.rollback()
    return took
