"""How fast one user's todos are read: a reader and a session beside what one would write without userscope."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlmodel import Session, col, select

from userscope.connection.scope import Command, Scope
from userscope.database import Database
from userscope.local.throwaway import throwaway
from userscope.logins import ensure_login
from userscope.migrations import projects, runner
from userscope.models import Todo
from userscope.settings import Settings
from userscope.testing.proxy import Proxy
from userscope.urls import ConnectionURL

USERS, TODOS = 50, 20
DELAY = 0.0025
"""Seconds in each direction: a round trip of 5 ms."""

type Read = Callable[[], object]


def main() -> None:
    """Print how many times faster than each alternative a reader and a session are, without and with a network."""
    with throwaway() as server, ExitStack() as stack:
        admin, service = server.url("admin"), server.url("service")
        user = _prepare(admin, service)
        print(f"{TODOS} todos of one of {USERS} users, by SQLModel; the quickest of many rounds that take turns")
        _compare("no delay", stack, admin, service, user, rounds=60, reads=10)
        with Proxy(admin, delay=DELAY) as one, Proxy(service, delay=DELAY) as other:
            _compare("a round trip of 5 ms", stack, one.url, other.url, user, rounds=30, reads=3)
            stack.close()  # before the proxies


def _compare(
    title: str, stack: ExitStack, admin: ConnectionURL, service: ConnectionURL, user: UUID, *, rounds: int, reads: int
) -> None:
    kinds = _kinds(stack, admin, service, user)
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for turn in range(rounds + 1):
        for name, read in sorted(kinds.items(), reverse=bool(turn % 2)):
            began = time.perf_counter()
            for _ in range(reads):
                read()
            if turn:  # the first round warms up
                times[name].append((time.perf_counter() - began) / reads)
    ours = [name for name in kinds if name.startswith(("reader", "session"))]
    theirs = [name for name in kinds if name not in ours]
    print(f"\n{title:<34}{'ms':>8}" + "".join(f"{'× ' + name:>30}" for name in theirs))
    for name in (*theirs, *ours):
        ratios = [min(times[their]) / min(times[name]) for their in theirs]
        shown = "".join(f"{ratio:>30.2f}" for ratio in ratios) if name in ours else ""
        print(f"{name:<34}{min(times[name]) * 1000:>8.2f}{shown}")


def _kinds(stack: ExitStack, admin: ConnectionURL, service: ConnectionURL, user: UUID) -> dict[str, Read]:
    plain = stack.enter_context(_engine(admin))
    by_event = stack.enter_context(_engine(service))
    event.listen(by_event, "begin", _setting(user))
    database = stack.enter_context(Database(Settings(_env_file=None, database_url=service.text())))

    def reader() -> object:
        with database.reader(user) as session:
            return session.exec(select(Todo)).all()

    def session() -> object:
        with database.session(user) as session:
            return session.exec(select(Todo)).all()

    def hand_written() -> object:
        with Session(plain) as session:
            return session.exec(select(Todo).where(col(Todo.owner_id) == user)).all()

    def set_config() -> object:
        with Session(by_event) as session:
            return session.exec(select(Todo)).all()

    def unwiped(read: Read) -> Read:
        def run() -> object:
            with patch.object(Scope, "opening", _without_discard):
                return read()

        return run

    return {
        "hand-written WHERE (3 trips)": hand_written,
        "set_config event (4 trips)": set_config,
        "reader (1 trip)": reader,
        "reader, without the clean slate": unwiped(reader),
        "session (2 trips)": session,
        "session, without the clean slate": unwiped(session),
    }


def _without_discard(scope: Scope, whole: Callable[[Scope], list[Command]] = Scope.opening) -> list[Command]:
    return whole(scope)[1:]


@contextmanager
def _engine(url: ConnectionURL) -> Iterator[Engine]:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url.conninfo()))
    yield engine
    engine.dispose()


def _setting(user: UUID) -> Callable[[Connection], None]:
    def set_user(connection: Connection) -> None:
        connection.exec_driver_sql("select set_config('app.user_id', %s, true)", (str(user),))

    return set_user


def _prepare(admin: ConnectionURL, service: ConnectionURL) -> UUID:
    """Migrate, and make users with todos; return one of them."""
    runner.migrate(admin, projects.find())
    ensure_login(admin, service.user, "app_user", service.params["password"])
    people = [uuid4() for _ in range(USERS)]
    with psycopg.connect(admin.conninfo()) as connection:
        connection.cursor().executemany(
            "insert into app.users (id, name, email) values (%s, '', %s)", [(p, f"{p}@example.org") for p in people]
        )
        connection.execute(
            "insert into app.todos (owner_id, title) select id, 'x' from app.users, generate_series(1, %s)", [TODOS]
        )
    return people[0]


if __name__ == "__main__":
    main()
