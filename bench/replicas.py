"""Eight clients read todos: from the primary alone, from a replica, and after a position that it has or has not."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from time import perf_counter
from uuid import UUID

import psycopg
from sqlmodel import Session, select

from bench.measuring import Figures, refuse_other_rows, take_turns
from bench.world import EACH, fill
from tests.replication import Pair, replicated
from userscope.database import Database
from userscope.models import Todo
from userscope.settings import Settings

USERS, CLIENTS = 50, 8
"""Both servers, and the clients, share this machine: what a second machine would add is not seen here."""


def main(*, quick: bool = False) -> Figures:
    """Measure in turns: "primary/replica" above 1 means that readers are quicker with a replica."""
    with replicated(18) as pair, ExitStack() as stack:
        fill(pair.primary.url(), USERS * EACH, users=USERS)
        pair.catch_up()
        with psycopg.connect(pair.primary.url().conninfo()) as connection:
            people = [row[0] for row in connection.execute("select distinct owner_id from app.todos").fetchall()]
        alone = Settings(_env_file=None, database_url=pair.primary.url("service").text(), database_pool_size=CLIENTS)
        both = alone.model_copy(update={"database_replica_url": pair.url().text()})
        primary, replica = stack.enter_context(Database(alone)), stack.enter_context(Database(both))
        threads = stack.enter_context(ThreadPoolExecutor(CLIENTS))
        there = _written(replica, people[0])
        pair.catch_up()
        kinds: dict[str, Callable[[UUID], object]] = {
            "primary": lambda user: _read(primary, user),
            "replica": lambda user: _read(replica, user),
            "after": lambda user: _read(replica, user, there),
        }
        refuse_other_rows({kind: read(people[0]) for kind, read in kinds.items()})
        found = _measured(threads, kinds, people, quick=quick, pairs=(("primary", "replica"), ("after", "replica")))
        figures = Figures()
        figures.take(found, "caught_up")
        figures.take(_behind(pair, threads, replica, people, quick=quick), "behind")
    return figures


def _behind(pair: Pair, threads: ThreadPoolExecutor, replica: Database, people: list[UUID], *, quick: bool) -> Figures:
    pair.pause()
    try:
        missing = _written(replica, people[0])
        kinds: dict[str, Callable[[UUID], object]] = {
            "replica": lambda user: _read(replica, user),
            "after": lambda user: _read(replica, user, missing),
        }
        if kinds["after"](people[0]) == kinds["replica"](people[0]):
            raise RuntimeError("the replica has what it should not have yet")
        return _measured(threads, kinds, people, quick=quick, pairs=(("after", "replica"),))
    finally:
        pair.resume()


def _measured(
    threads: ThreadPoolExecutor,
    kinds: dict[str, Callable[[UUID], object]],
    people: list[UUID],
    *,
    quick: bool,
    pairs: tuple[tuple[str, str], ...],
) -> Figures:
    reads = (people * 8)[: 80 if quick else 400]

    def timed(read: Callable[[UUID], object]) -> Callable[[], float]:
        def work() -> float:
            began = perf_counter()
            list(threads.map(read, reads))
            return (perf_counter() - began) / len(reads)

        return work

    return take_turns({name: timed(read) for name, read in kinds.items()}, 5 if quick else 21).figures(*pairs)


def _read(database: Database, user: UUID, after: str | None = None) -> set[UUID]:
    with database.reader(user, after=after) as session:
        return {todo.id for todo in session.exec(select(Todo))}


def _written(database: Database, user: UUID) -> str | None:
    with database.session(user) as session:
        session.add(Todo(title="The last one"))
    return _position(session)


def _position(session: Session) -> str | None:
    position: str | None = session.info["position"]
    return position
