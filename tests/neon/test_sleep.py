"""A compute falls asleep: what is in flight fails as Unavailable, the next request after it woke up is served."""

import threading
import time
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import select

from tests.neon.conftest import MakeRunner, Service
from tests.neon.rig import OWNER
from userscope import Database, Todo
from userscope.errors import Unavailable

HOSTS = pytest.mark.parametrize(
    "pooled", [pytest.param(True, id="pooled"), pytest.param(False, id="unpooled", marks=pytest.mark.breadth)]
)


def add(db: Database, user: UUID, title: str) -> None:
    with db.session(user) as session:
        session.add(Todo(title=title))


@HOSTS
def test_asleep(service: Service, pooled: bool) -> None:
    """In flight and while asleep: Unavailable. Awake: served at the first attempt, by a pool that lost all."""
    project = service.project
    user = service.user(f"sleeper-{pooled}".lower())
    with Database(service.settings(pooled=pooled)) as db:
        started = threading.Event()
        failed: list[BaseException] = []

        def in_flight() -> None:
            try:
                with db.session(user) as session:
                    session.add(Todo(title="in flight"))
                    session.flush()
                    started.set()
                    session.connection().execute(text("select pg_sleep(60)"))
            except Unavailable as error:
                failed.append(error)

        add(db, user, "before")
        request = threading.Thread(target=in_flight)
        request.start()
        assert started.wait(30)
        project.sleep()
        request.join(30)
        assert len(failed) == 1
        for _ in range(2):
            with pytest.raises(Unavailable):
                add(db, user, "asleep")
        project.wake()
        add(db, user, "after")
        with db.reader(user) as session:
            assert sorted(session.exec(select(Todo.title))) == ["after", "before"]
    assert service.titles(user) == ["after", "before"]  # each acknowledged write once, and nothing else


@HOSTS
def test_idle_over_sleep(service: Service, pooled: bool) -> None:
    """Every idle connection of the pool died meanwhile: each is replaced without an error, and without asking it."""
    user = service.user(f"idle-{pooled}".lower())
    with Database(service.settings(pooled=pooled, database_pool_size=3)) as db:
        with db.reader(user) as one, db.reader(user) as two, db.reader(user) as three:
            for session in (one, two, three):
                assert session.exec(select(Todo)).all() == []
        service.project.sleep()
        service.project.wake()
        for number in range(3):
            add(db, user, f"awake {number}")
    assert service.titles(user) == ["awake 0", "awake 1", "awake 2"]


@pytest.mark.breadth
@HOSTS
def test_naps(service: Service, pooled: bool) -> None:
    """A service that tries again meets nothing but Unavailable, and each write that was acknowledged is there once."""
    user = service.user(f"napper-{pooled}".lower())
    written: list[str] = []
    naps = refused = number = 0
    with Database(service.settings(pooled=pooled)) as db:
        while naps < 3 or len(written) < 30:
            if naps < 3 and len(written) == naps * 10:
                service.project.awake()
                service.project.sleep(0.5)
                naps += 1
            number += 1
            try:
                add(db, user, f"{number:06}")
            except Unavailable:
                refused += 1
                time.sleep(0.02)
            else:
                written.append(f"{number:06}")
    service.project.awake()
    assert refused >= naps
    assert service.titles(user) == written


def test_migrate(make_runner: MakeRunner, service: Service) -> None:
    """The command line says that the host cannot be reached, by exit code 2, and works once it is awake."""
    runner = make_runner(DATABASE_URL=service.project.text("todo_service", pooled=True), USERSCOPE_SEAL_KEY=service.key)
    service.project.sleep()
    try:
        for command in ("migrate", "status", "audit", "health"):
            said = runner(command, code=2).stderr
            assert "ERROR:  " in said
            assert service.project.passwords[OWNER] not in said
    finally:
        service.project.wake()
    for command in ("migrate", "status", "audit", "health"):
        runner(command)
