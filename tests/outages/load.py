"""A service under load: people write and read all the time, and every answer is judged."""

import asyncio
import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal, Self
from uuid import UUID

from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from tests.connection.served import run, whoami
from tests.soak.town import serve_together
from tests.soak.truth import Truth
from userscope.database import AsyncDatabase, Database
from userscope.errors import Retryable, Unavailable
from userscope.models import Todo
from userscope.settings import Settings

WORKERS = 4
"""Threads of Database, and as many tasks of AsyncDatabase."""
CONNECTIONS = 3
"""In each one's pool: fewer, so that they wait for each other."""
PATIENCE = 120
"""Seconds after which something that should happen is taken for something that never will."""

type Event = Literal["read", "written", "failed"]

# What one snapshot shows: every title, and how many there should be.
_READ = "select array(select title from app.todos), (select name::integer from app.account)"
# Not to be done twice, by whomever: neither of the two would notice.
_COUNT = "update app.account set name = (name::integer + 1)::text"
_ADD = "insert into app.todos (title) values (:title)"


@dataclass
class Request:
    """What one user asks of the service, and what is known about it."""

    truth: Truth
    user: str
    kind: Literal["read", "write", "write twice"]
    client_id: bool
    tokens: list[str] = field(default_factory=list)
    committing: bool = False

    def work(self, session: Session) -> None:
        """Do it, in a session or a reader of this user; in a session COMMIT comes next."""
        before = self.truth.acknowledged(self.user)
        if self.kind == "read":
            ((titles, counted),) = run(session, _READ)
            self.truth.check_seen(self.user, titles, before)
            if counted != len(titles):
                self.truth.faults.append(f"{self.user} saw {len(titles)} of {counted} rows")
            return
        if self.kind == "write twice":
            self._write(session)
            self.committing = True
            session.commit()
            self.truth.ended(self.user, self.tokens, "committed")
            self.tokens, self.committing = [], False
        self._write(session)
        self.committing = True

    def _write(self, session: Session) -> None:
        self.tokens.append(self.truth.token(self.user))
        if self.client_id:
            session.add(Todo(title=self.tokens[-1]))
            session.flush()
        else:
            run(session, _ADD, title=self.tokens[-1])
        run(session, _COUNT)

    def failed(self, error: Exception) -> None:
        """Note that it failed: what was never to be committed must not be there."""
        fate: Literal["unknown", "undone"] = "unknown" if self.committing else "undone"
        outcome = type(error).__name__ + (" at COMMIT" if self.committing else "")
        self.truth.ended(self.user, self.tokens, outcome, fate)
        # Of two who change one account at once through its fence, one is asked to begin again.
        if not isinstance(error, Unavailable | Retryable):
            self.truth.faults.append(f"a request failed with {type(error).__name__}: {error}")


@dataclass
class Load:
    """Runs while its block does, with one Database and one AsyncDatabase from the beginning to the end.

    ``reasons``: SQLSTATEs of what failed, or what was said where there was none.
    """

    people: list[UUID]
    settings: tuple[Settings, Settings]
    truth: Truth = field(default_factory=Truth)
    reasons: Counter[str] = field(default_factory=Counter)
    seed: int = 0

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._happened = threading.Condition()
        self._events: Counter[tuple[str, Event]] = Counter()
        self._workers = [f"{kind} {number}" for kind in ("thread", "task") for number in range(WORKERS)]

    def __enter__(self) -> Self:
        self._service = Database(self.settings[0])
        self._pool = ThreadPoolExecutor(WORKERS + 1)
        self._futures: list[Future[None]] = [
            self._pool.submit(self._thread, name) for name in self._workers if name.startswith("thread")
        ]
        self._futures.append(self._pool.submit(asyncio.run, self._tasks()))
        return self

    def __exit__(self, *raised: object) -> None:
        self._over.set()
        for future in self._futures:
            future.result(PATIENCE)
        if raised == (None, None, None):
            if not serve_together(self._service, self.people[:CONNECTIONS]):
                self.truth.faults.append("a connection does not serve after all is over")
            self._check_pool(self._service.engine.pool)
        self._service.close()
        self._pool.shutdown()

    def each(self, event: Event, times: int = 1, *, only: str = "") -> None:
        """Wait until this has happened to every worker so often from now on; ``only``: to every thread, or task."""
        waiting = [name for name in self._workers if name.startswith(only)]
        with self._happened:
            goals = {name: self._events[name, event] + times for name in waiting}
            reached = self._happened.wait_for(
                lambda: all(self._events[name, event] >= goal for name, goal in goals.items()), PATIENCE
            )
            late = [name for name, goal in goals.items() if self._events[name, event] < goal]
        assert reached, f"{', '.join(late)} never came to be {event}; faults: {self.truth.faults[:5]}"

    def until(self, seen: Callable[[], object], what: str) -> None:
        """Wait until this was seen, however many requests that takes; it is asked whenever one has ended."""
        with self._happened:
            assert self._happened.wait_for(seen, PATIENCE), f"{what} was never seen in {self._events.total()} requests"

    # The service ---------------------------------------------------------------------------------------------------

    def _requests(self, worker: str) -> "itertools.chain[Request]":
        chance = random.Random(f"{self.seed}/{worker}")  # noqa: S311  # to repeat a run, not to hide one
        kinds: list[Any] = ["read"] * 5 + ["write"] * 4 + ["write twice"]

        def make() -> Request:
            return Request(self.truth, str(chance.choice(self.people)), chance.choice(kinds), chance.random() < 0.5)

        return itertools.chain.from_iterable([iter(make, None)])

    def _note(self, worker: str, request: Request, error: Exception | None) -> float:
        """Note how a request ended; return how many seconds to wait before the next."""
        if error:
            request.failed(error)
            self.reasons[getattr(error, "sqlstate", None) or str(error).partition("\n")[0]] += 1
        else:
            self.truth.ended(request.user, request.tokens, "read" if request.kind == "read" else "committed", "written")
        event: Event = "failed" if error else "read" if request.kind == "read" else "written"
        with self._happened:
            self._events[worker, event] += 1
            self._happened.notify_all()
        return 0.02 if error else 0.002

    def _thread(self, worker: str) -> None:
        for request in self._requests(worker):
            failure = None
            try:
                opened = self._service.reader if request.kind == "read" else self._service.session
                with opened(request.user) as session:
                    request.work(session)
            except Exception as error:
                failure = error
            if self._over.wait(self._note(worker, request, failure)):
                return

    async def _tasks(self) -> None:
        async with AsyncDatabase(self.settings[1]) as service:
            async with asyncio.TaskGroup() as group:
                for name in self._workers:
                    if name.startswith("task"):
                        group.create_task(self._task(service, name))
            await self._check_async(service)

    async def _task(self, service: AsyncDatabase, worker: str) -> None:
        for request in self._requests(worker):
            failure = None
            try:
                opened = service.reader if request.kind == "read" else service.session
                async with opened(request.user) as session:
                    await session.run_sync(self._in_task(session, request))
            except Exception as error:
                failure = error
            await asyncio.sleep(self._note(worker, request, failure))
            if self._over.is_set():
                return

    def _in_task(self, session: AsyncSession, request: Request) -> Callable[[Any], None]:
        return lambda _: request.work(session.sync_session)

    # Afterwards ----------------------------------------------------------------------------------------------------

    async def _check_async(self, service: AsyncDatabase) -> None:
        barrier = asyncio.Barrier(CONNECTIONS)

        async def serve(user: UUID) -> bool:
            async with service.session(user) as session:
                first = await session.run_sync(lambda _: whoami(session.sync_session))
                await barrier.wait()
                return first == user

        async with asyncio.timeout(PATIENCE):
            if not all(await asyncio.gather(*map(serve, self.people[:CONNECTIONS]))):
                self.truth.faults.append("a connection for asyncio does not serve after all is over")
        self._check_pool(service.engine.pool)

    def _check_pool(self, pool: Any) -> None:
        if (pool.checkedout(), pool.checkedin()) != (0, CONNECTIONS):
            self.truth.faults.append(f"the pool is not in health: {pool.status()}")
