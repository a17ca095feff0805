"""A service that forks while it is at work, as gunicorn --preload, Celery and multiprocessing do; run by test_fork.

``python -W ignore -m tests.connection.forking FORKS [unguarded]`` with the URLs in the environment and a user's id a
line on standard input. Every user's todos are titled with the owner's own id, and everything written is too. Prints
what was seen, counted: "own", "foreign", and errors by name.
"""

import asyncio
import json
import multiprocessing
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import text
from sqlmodel import select

if "unguarded" in sys.argv:
    os.register_at_fork = lambda **_: None  # the control: what happens without

from userscope import Accounts, AsyncDatabase, Database, Todo
from userscope.errors import BeforeFork

type Seen = Counter[str]

OWN = select(Todo.title)
WRITE = "update app.todos set title = app.current_user_id()::text where id = (select id from app.todos limit 1)"


class Service:
    """Everything that has a pool, used by one process and inherited by its children."""

    def __init__(self) -> None:
        self.database, self.async_database, self.accounts = Database(), AsyncDatabase(), Accounts()

    def read(self, user: str, seen: Seen, sleep: float = 0) -> None:
        """Read slowly enough for another process to come in between."""
        with self.database.reader(user) as session:
            titles = session.scalars(text(f"select title from app.todos, pg_sleep({sleep})")).all()
            _judge(seen, user, *titles)

    def write(self, user: str, seen: Seen) -> None:
        """Write and read in one transaction."""
        with self.database.session(user) as session:
            session.connection().execute(text(WRITE))
            session.add(Todo(title=user))
            session.flush()
            _judge(seen, user, *session.exec(OWN))

    def read_and_write_async(self, user: str, seen: Seen) -> None:
        """The same by AsyncDatabase, on a loop of its own."""

        async def work() -> None:
            async with self.async_database.session(user) as session:
                session.add(Todo(title=user))
                await session.flush()
                _judge(seen, user, *(await session.exec(OWN)))
            async with self.async_database.reader(user) as session:
                _judge(seen, user, *(await session.exec(OWN)))

        asyncio.run(work())

    def account(self, user: str, seen: Seen) -> None:
        """The same by Accounts."""
        found = self.accounts.get(user)
        _judge(seen, user, str(found and found.id))
        changed = self.accounts.update(user, name=user)
        _judge(seen, user, str(changed and changed.id))

    def ways(self, *, loops: bool) -> list[Callable[[str, Seen], None]]:
        """Each way to work, in turn; ``loops``: by AsyncDatabase as well, which is one event loop's at a time."""
        return [self.read, self.write, self.account, *([self.read_and_write_async] if loops else [])]


def _judge(seen: Seen, user: str, *found: str) -> None:
    seen.update("own" if title == user else "foreign" for title in found or ["nothing"])


def _work(service: Service, user: str, until: Callable[[], bool], *, loops: bool = True) -> Seen:
    seen: Seen = Counter()
    while True:
        for way in service.ways(loops=loops):
            try:
                way(user, seen)
            except Exception as error:  # each kind is counted, and none is expected
                seen[type(error).__name__] += 1
        if until():
            return seen


def _in_child(work: Callable[[], Seen]) -> Callable[[], Seen]:
    """Fork; return how to wait for what the child has seen."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writing, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)

    def wait() -> Seen:
        with os.fdopen(reading, "rb") as told:
            said = told.read()
        os.waitpid(child, 0)
        return Counter(json.loads(said or b'{"silence": 1}'))

    return wait


def _once() -> bool:
    return True


def prefork(service: Service, users: list[str], forks: int) -> Seen:
    """Fork under load, every connection of the pools in use or just left; each child forks once more."""
    stop = threading.Event()
    seen: Seen = Counter()

    def load(user: str) -> None:
        seen.update(_work(service, user, stop.is_set, loops=user == users[0]))

    threads = [threading.Thread(target=load, args=[user]) for user in users[:3]]
    for thread in threads:
        thread.start()
    time.sleep(0.3)

    def child(user: str, other: str) -> Seen:
        first = _work(service, user, _once)
        wait = _in_child(lambda: _work(service, other, _once))
        return first + _work(service, user, _once) + wait()

    for number in range(0, forks, 2):  # a child and its own make two
        user, other = users[3 + number % (len(users) - 3)], users[3 + (number + 1) % (len(users) - 3)]
        seen += _in_child(lambda user=user, other=other: child(user, other))()  # type: ignore[misc]  # bound at once
    stop.set()
    for thread in threads:
        thread.join()
    return seen


_service: Service | None = None


def _task(user: str) -> Seen:
    assert _service
    return _work(_service, user, _once)


def pool(service: Service, users: list[str], forks: int) -> Seen:
    """multiprocessing's pools of two, one after another, of a process that has used its own."""
    global _service  # what a worker inherits
    _service = service
    seen: Seen = _task(users[0])
    for _ in range(0, forks, 2):
        with multiprocessing.get_context("fork").Pool(2) as workers:
            for found in workers.map(_task, users[:4], chunksize=1):
                seen += found
    return seen


def inside(service: Service, users: list[str], forks: int) -> Seen:
    """Fork within a session: the child cannot go on with it, and serves others; the parent commits."""
    seen: Seen = Counter()
    user, other = users[:2]
    for _ in range(forks):
        with service.database.session(user) as session:
            session.add(Todo(title=user))
            session.flush()

            def child() -> Seen:
                found: Seen = Counter()
                for go_on in (lambda: session.exec(OWN).all(), session.commit, session.rollback):
                    with suppress(BeforeFork):
                        go_on()
                        found["own" if go_on == session.rollback else "went on"] += 1
                session.close()
                return found + _work(service, other, _once)

            seen += _in_child(child)()
            _judge(seen, user, *session.exec(OWN))
    return seen


def duel(service: Service, users: list[str], forks: int) -> Seen:
    """One idle connection, and two processes that read slowly at one moment."""
    seen: Seen = Counter()
    user, other = users[:2]

    def read(reader: str) -> Seen:
        found: Seen = Counter()
        try:
            service.read(reader, found, 0.1)
        except Exception as error:  # as in _work
            found[type(error).__name__] += 1
        return found

    for _ in range(forks):
        seen += read(user)
        wait = _in_child(lambda: read(other))
        seen += read(user)
        seen += wait()
    return seen


def orphan(service: Service, users: list[str], forks: int) -> Seen:
    """Hold a lock in a transaction; fork children that go on living; say who they are, and wait to be killed."""
    children: list[int] = []
    with service.database.session(users[0]) as session:
        session.connection().execute(text("select pg_advisory_xact_lock(4712)"))
        for _ in range(forks):
            child = os.fork()
            if not child:
                time.sleep(60)
                os._exit(0)
            children.append(child)
        print(*children, flush=True)
        time.sleep(60)
    return Counter()


@contextmanager
def _used(users: list[str]) -> Iterator[Service]:
    service = Service()
    for user in users[:2]:
        _work(service, user, _once)
    yield service
    service.database.close()
    service.accounts.close()
    asyncio.run(service.async_database.close())


def main() -> None:
    """Do what the arguments say."""
    scenarios = {work.__name__: work for work in (prefork, pool, inside, duel, orphan)}
    scenario, forks = scenarios[sys.argv[1]], int(sys.argv[2])
    users = sys.stdin.read().split()
    with _used(users) as service:
        print(json.dumps(scenario(service, users, forks)))


if __name__ == "__main__":
    main()
