"""Many users with a replica that lags, is killed and is promoted: what one has written one sees, whatever befalls it.

``python -m tests.replicas.soak`` runs the long form.
"""

import argparse
import asyncio
import logging
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from sqlmodel import Session, select

from tests.clusters import Cluster
from tests.connection.conftest import make_user
from tests.processes import meanwhile
from tests.replication import Pair, following, replicated
from tests.silence import SilentProxy
from tests.soak.truth import Truth
from userscope.database import AsyncDatabase
from userscope.database import Database as Service
from userscope.errors import DatabaseError
from userscope.models import Todo
from userscope.settings import Settings

WORKERS = 4
"""Threads, and as many asyncio tasks."""


@dataclass
class ReplicaSoak:
    """One run. ``chaos``: seconds from disaster to disaster; the primary lives all the time, so nothing may fail."""

    operations: int
    users: int = 400
    chaos: float = 2.0
    seed: int = 0
    truth: Truth = field(default_factory=Truth)
    disasters: dict[str, int] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=lambda: {"replica": 0, "primary": 0})
    stale: int = 0
    """Reads without a position that did not show all: a control, that the replica does lag."""
    seconds: float = 0

    def carry_out(self, version: int) -> None:
        """Run it on a pair of servers of its own."""
        with replicated(version) as pair, SilentProxy(pair.url(), delay=0.0001) as self._wire:
            self._people = [make_user(pair.primary) for _ in range(self.users)]
            # Each user is one worker's, who knows what was acknowledged, and where.
            self._positions: dict[UUID, str | None] = dict.fromkeys(self._people)
            pair.catch_up()
            settings = Settings(
                _env_file=None,
                database_url=pair.primary.url("service").text(),
                database_replica_url=self._wire.url.text(),
                database_pool_size=WORKERS,
                database_pool_timeout=1,
            )
            began = time.monotonic()
            self._left = iter(range(self.operations))
            with (
                meanwhile(partial(self._break, pair)),
                Service(settings) as service,
                ThreadPoolExecutor(WORKERS + 1) as pool,
            ):
                futures = [pool.submit(self._thread, service, number) for number in range(WORKERS)]
                futures.append(pool.submit(asyncio.run, self._tasks(AsyncDatabase(settings))))
                for future in futures:
                    future.result()
            self.seconds = time.monotonic() - began
            with pair.primary.superuser_connection() as superuser:
                self.truth.check_all(superuser)

    def _mine(self, number: int) -> tuple[random.Random, list[UUID]]:
        return random.Random(f"{self.seed}/{number}"), self._people[number :: 2 * WORKERS]  # noqa: S311  # to repeat it

    def _thread(self, service: Service, number: int) -> None:
        chance, people = self._mine(number)
        for _ in self._left:
            user, reads, after = self._plan(chance, people)
            tokens: list[str] = []
            with self._noting(user, tokens):
                opened = service.reader(user, after=after) if reads else service.session(user)
                with opened as session:
                    self._work(session, user, tokens, reads=reads, after=after)
                self._positions[user] = session.info["position"] or self._positions[user]

    async def _tasks(self, service: AsyncDatabase) -> None:
        async with service, asyncio.TaskGroup() as group:
            for number in range(WORKERS, 2 * WORKERS):
                group.create_task(self._task(service, number))

    async def _task(self, service: AsyncDatabase, number: int) -> None:
        chance, people = self._mine(number)
        for _ in self._left:
            user, reads, after = self._plan(chance, people)
            tokens: list[str] = []
            with self._noting(user, tokens):
                opened = service.reader(user, after=after) if reads else service.session(user)
                async with opened as session:
                    await session.run_sync(
                        lambda each, *given: self._work(each, *given[:2], reads=given[2], after=given[3]),
                        user, tokens, reads, after,
                    )  # fmt: skip
                self._positions[user] = session.info["position"] or self._positions[user]

    def _plan(self, chance: random.Random, people: list[UUID]) -> tuple[UUID, bool, str | None]:
        """Whose turn it is, whether they read, and after what: four of five readers after what they wrote."""
        user = chance.choice(people)
        return user, chance.random() < 0.75, self._positions[user] if chance.random() < 0.8 else None

    def _work(self, session: Any, user: UUID, tokens: list[str], *, reads: bool, after: str | None) -> None:
        own = str(user)
        if not reads:
            tokens.append(self.truth.token(own))
            session.add(Todo(title=tokens[-1]))
            return
        before = self.truth.acknowledged(own)
        titles = list(session.exec(select(Todo.title)))
        if after is None and self._positions[user] is not None:
            self.stale += bool(before - set(titles))
            before = frozenset()
        self.truth.check_seen(own, titles, before)
        self.answered["replica" if _leads_to_replica(session) else "primary"] += 1

    @contextmanager
    def _noting(self, user: UUID, tokens: list[str]) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            self.truth.ended(str(user), tokens, type(error).__name__)
            self.truth.faults.append(f"an error, though the primary lives: {error.summary}")
        else:
            self.truth.ended(str(user), tokens, "committed")

    # What befalls the replica -----------------------------------------------------------------------------------------

    def _break(self, pair: Pair, over: threading.Event) -> None:
        def pause() -> None:
            pair.pause()
            over.wait(self.chaos / 2)
            pair.resume()

        def kill() -> None:
            pair.standby.cluster.server.stop(immediately=True)
            over.wait(self.chaos / 4)
            pair.standby.cluster.server.start()

        def cut() -> None:
            self._wire.cut()

        def promote() -> None:
            with following(pair.primary.cluster) as other:
                self._lead(other, promoted=True)
                over.wait(self.chaos / 2)
                self._wire.target = pair.url()
                self._wire.cut()

        kinds: list[Callable[[], None]] = [pause, kill, cut, promote]
        for number in range(10_000):
            if over.wait(self.chaos / 2):
                return
            disaster = kinds[number % len(kinds)]
            disaster()
            self.disasters[disaster.__name__] = self.disasters.get(disaster.__name__, 0) + 1

    def _lead(self, other: Cluster, *, promoted: bool) -> None:
        self._wire.target = other.url("service")
        self._wire.cut()
        if promoted:
            time.sleep(self.chaos / 4)
            with other.superuser_connection() as superuser:
                superuser.execute("select pg_promote()")
            with other.superuser_connection("app") as superuser:  # what nobody may ever be shown
                superuser.execute("insert into app.todos (owner_id, title) select id, 'never seen' from app.users")


def _leads_to_replica(session: Session) -> bool:
    driver_connection: Any = session.connection().connection.driver_connection
    return driver_connection.replica is not None


def main() -> int:
    """Run the long form."""
    parser = argparse.ArgumentParser(description="Reads after one's own writes, while the replica suffers.")
    parser.add_argument("--transactions", dest="operations", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=400)
    parser.add_argument("--chaos", type=float, default=3.0, help="seconds between two disasters")
    parser.add_argument("--seed", type=int, default=0)
    soak = ReplicaSoak(**vars(parser.parse_known_args()[0]))  # the other part of "make soak" knows more
    logging.disable(logging.WARNING)  # each disaster is told of, twice
    soak.carry_out(18)
    truth = soak.truth
    print(f"{sum(truth.outcomes.values())} operations of {soak.users} users in {soak.seconds:.0f} s with a replica")
    print(f"  outcomes     {dict(truth.outcomes.most_common())}")
    print(f"  disasters    {soak.disasters}")
    print(f"  answered by  {soak.answered}; without a position {soak.stale} were older than the user's own writes")
    print(f"  writes       {sum(map(len, truth.written.values()))} acknowledged")
    print(f"  faults       {len(truth.faults)}")
    for fault in truth.faults[:10]:
        print(f"    {fault}")
    return int(bool(truth.faults))


if __name__ == "__main__":
    sys.exit(main())
