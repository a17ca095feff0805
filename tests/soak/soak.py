"""Many users over few connections, through PgBouncer, while everything breaks: what is shown and kept is checked."""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from typing import Any
from uuid import UUID

from sqlmodel import Session, select

from tests.clusters import Cluster, Database
from tests.connection.conftest import settings_for
from tests.connection.served import run
from tests.pooling.pgbouncer import PgBouncer, pgbouncer
from tests.processes import meanwhile
from tests.soak.town import TeamTodo, Town, serve_together, town
from tests.soak.truth import Truth
from userscope.database import AsyncDatabase
from userscope.database import Database as Service
from userscope.errors import DatabaseError, InvalidValue
from userscope.models import Todo
from userscope.settings import Settings

WORKERS = 6
"""Threads, and as many asyncio tasks, each with a connection to PgBouncer of its own."""
KINDS = {
    "read": 60,
    "add": 16,
    "add twice": 6,
    "change of mind": 5,
    "savepoint": 4,
    "error": 4,
    "cancel": 5,
    "timeout": 0.2,
}
"""What a transaction does, and how often."""


class Change(Exception):
    """The service changed its mind in the middle of a transaction."""


@dataclass
class Soak:
    """One run. ``transactions`` are shared by threads and tasks; ``chaos``: seconds from disaster to disaster, or 0.

    ``over`` may end it earlier: where a build is broken, as soon as that was seen.
    """

    transactions: int
    users: int
    connections: int
    chaos: float
    seed: int = 0
    over: Callable[[Truth], bool] = lambda _: False
    truth: Truth = field(default_factory=Truth)
    disasters: dict[str, int] = field(default_factory=dict)
    most_connections: int = 0
    seconds: float = 0

    def carry_out(self, cluster: Cluster) -> None:
        """Run it in a database of its own; the server is restarted on the way."""
        with town(cluster, self.users) as made:
            self._load(made)

    def _load(self, made: Town) -> None:
        database, self._people, self._teams = made.database, made.people, made.teams
        began = time.monotonic()
        with pgbouncer(database, size=self.connections) as pooler:
            settings = settings_for(
                pooler.url,
                userscope_seal_key=made.key.text(),
                database_pool_size=WORKERS,
                database_pool_timeout=60,
                database_statement_timeout="1s",
            )
            self._left = takewhile(lambda _: not self.over(self.truth), range(self.transactions))
            with (
                meanwhile(partial(self._break, database, pooler)),
                Service(settings) as service,
                ThreadPoolExecutor(WORKERS + 1) as pool,
            ):
                futures = [pool.submit(self._thread, service, number) for number in range(WORKERS)]
                futures.append(pool.submit(asyncio.run, self._tasks(AsyncDatabase(settings))))
                for future in futures:
                    future.result()
            self.seconds = time.monotonic() - began
            self._check_health(settings)
        with database.superuser_connection() as superuser:
            self.truth.check_all(superuser, teams=True)

    # What one user does ------------------------------------------------------------------------------------------

    def _plan(self, chance: random.Random) -> tuple[UUID, UUID | None, str]:
        """Who acts, in which organization if it is about that one's rows, as every third is; and what it is."""
        user = chance.choice(self._people)
        team = self._teams[user] if chance.randrange(3) == 0 else None
        return user, team, chance.choices(list(KINDS), list(KINDS.values()))[0]

    def _work(self, kind: str, user: str, model: type[Todo | TeamTodo], tokens: list[str]) -> Callable[[Any], None]:
        """What a transaction of this kind does; ``tokens`` gets the titles that it leaves if it is committed.

        ``user`` is whose the rows are: a user, or an organization.
        """

        def add(session: Session) -> None:
            tokens.append(self.truth.token(user))
            session.add(model(title=tokens[-1]))
            session.flush()

        def work(session: Session) -> None:
            before = self.truth.acknowledged(user)
            if kind in ("read", "savepoint"):
                self.truth.check_seen(user, list(session.exec(select(model.title))), before)
            if kind in ("add", "add twice", "change of mind", "timeout", "cancel", "error"):
                add(session)
            if kind == "add twice":
                session.commit()
                add(session)  # a transaction of its own, maybe on another connection to the server
                self.truth.check_seen(user, list(session.exec(select(model.title))), before)
            elif kind == "savepoint":
                undone: list[str] = []
                with suppress(InvalidValue), session.begin_nested():
                    undone.append(self.truth.token(user))
                    session.add(model(title=undone[0]))
                    session.flush()
                    run(session, "select 1 / 0")
                self.truth.undone.update(undone)
                add(session)
            elif kind == "change of mind":
                raise Change
            elif kind == "error":
                run(session, "select 1 / 0")
            elif kind in ("timeout", "cancel"):
                run(session, "select pg_sleep(1.5)" if kind == "timeout" else "select pg_sleep(0.02)")

        return work

    @contextmanager
    def _noting(self, user: str, tokens: list[str]) -> Iterator[None]:
        try:
            yield
        except Change:
            self.truth.ended(user, tokens, "rolled back")
        except (DatabaseError, asyncio.CancelledError, TimeoutError) as error:
            self.truth.ended(user, tokens, type(error).__name__)
        else:
            self.truth.ended(user, tokens, "committed")

    def _thread(self, service: Service, number: int) -> None:
        chance = random.Random(f"{self.seed}/{number}")  # noqa: S311  # to repeat a run, not to hide one
        for _ in self._left:
            user, team, kind = self._plan(chance)
            tokens: list[str] = []
            whose = str(team or user)
            work = self._work(kind, whose, TeamTodo if team else Todo, tokens)
            opened = (service.reader if kind == "read" else service.session)(user, organization_id=team)
            with self._noting(whose, tokens), opened as session:
                work(session)

    async def _tasks(self, service: AsyncDatabase) -> None:
        async with service, asyncio.TaskGroup() as group:
            for number in range(WORKERS):
                group.create_task(self._task(service, number))

    async def _task(self, service: AsyncDatabase, number: int) -> None:
        chance = random.Random(f"{self.seed}/task {number}")  # noqa: S311  # as above
        for _ in self._left:
            user, team, kind = self._plan(chance)
            tokens: list[str] = []
            whose = str(team or user)
            work = self._work(kind, whose, TeamTodo if team else Todo, tokens)
            with self._noting(whose, tokens):
                # A client that goes away: the task is cancelled wherever it stands.
                async with asyncio.timeout(chance.uniform(0, 0.02) if kind == "cancel" else None):
                    opened = service.reader if kind == "read" else service.session
                    async with opened(user, organization_id=team) as session:
                        await session.run_sync(work)

    # What breaks meanwhile -----------------------------------------------------------------------------------------

    def _break(self, database: Database, pooler: PgBouncer, over: threading.Event) -> None:
        def restart_server() -> None:
            database.cluster.server.stop()
            database.cluster.server.start()

        def kill_backends() -> None:
            with database.superuser_connection() as superuser:
                superuser.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app_service' "
                    "order by random() limit 3"
                )

        disasters = {
            "backends killed": kill_backends,
            "PgBouncer restarted": pooler.restart,
            "server restarted": restart_server,
        }
        turn = 0
        while not over.wait(self.chaos or 0.5):
            self.most_connections = max(self.most_connections, pooler.server_connections())
            if self.chaos:
                name = list(disasters)[(0, 0, 1, 0, 2)[turn % 5]]
                disasters[name]()
                self.disasters[name] = self.disasters.get(name, 0) + 1
                turn += 1

    def _check_health(self, settings: Settings) -> None:
        """As many connections as the server has for us serve again, all at one moment."""
        with Service(settings) as service:
            if not serve_together(service, self._people[: min(WORKERS, self.connections)]):
                self.truth.faults.append("a connection does not serve after all is over")
