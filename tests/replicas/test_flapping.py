"""A replica that comes and goes under many readers at once: a line for each change, whoever finds out, and no error."""

import asyncio
import os
import signal
import warnings
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from tests.connection.served import AsyncServed, Served, SyncServed, run
from tests.processes import eventually
from tests.replicas.conftest import Serve, Wires
from tests.replicas.test_outages import ALICES, NOWHERE, THERE, lines, where
from tests.replicas.test_readers import WHERE, titles
from tests.replication import Pair
from userscope.connection.replica import Origin, Replica

AT_ONCE = 8


def at_once(served: Served, user: UUID) -> list[set[str]]:
    """What many readers see, in threads or in tasks."""
    if isinstance(served, SyncServed):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda _: served.reader(user, titles), range(AT_ONCE)))
    assert isinstance(served, AsyncServed)
    db = served.db

    async def one() -> set[str]:
        async with db.reader(user) as session:
            return await session.run_sync(lambda _: titles(session.sync_session))

    async def all_of_them() -> list[set[str]]:
        return await asyncio.gather(*(one() for _ in range(AT_ONCE)))

    return served.runner.run(all_of_them())


def test_flapping(serve: Serve, wires: Wires, pair: Pair, alice: UUID, caplog: pytest.LogCaptureFixture) -> None:
    """It goes in the middle of statements and comes back, three times: six lines, by turns."""
    served = serve(database_pool_size=AT_ONCE, database_pool_timeout=1)
    for _ in range(3):
        eventually(lambda: where(served, alice) == THERE)
        assert at_once(served, alice) == [ALICES] * AT_ONCE
        wires.standby.lost, wires.standby.target = b"app.todos", NOWHERE  # whatever is under way is lost
        assert at_once(served, alice) == [ALICES] * AT_ONCE
        assert at_once(served, alice) == [ALICES] * AT_ONCE
        wires.standby.lost, wires.standby.target = None, pair.url()
        eventually(lambda: at_once(served, alice) == [ALICES] * AT_ONCE and where(served, alice) == THERE)
    said = ["again" if line.endswith(" answers again") else "away" for line in lines(caplog)]
    assert said == ["away", "again"] * 3


def where_inside(served: Served, user: UUID) -> list[bool]:
    """Whether a reader is answered by the standby while another one has its connection."""
    if isinstance(served, SyncServed):
        with served.db.reader(user) as outer:
            titles(outer)
            with served.db.reader(user) as inner:
                return run(inner, WHERE)
    assert isinstance(served, AsyncServed)
    db = served.db

    async def work() -> list[bool]:
        async with db.reader(user) as outer:
            await outer.run_sync(lambda _: titles(outer.sync_session))
            async with db.reader(user) as inner:
                return await inner.run_sync(lambda _: run(inner.sync_session, WHERE))

    return served.runner.run(work())


def test_exhausted(serve: Serve, alice: UUID, caplog: pytest.LogCaptureFixture) -> None:
    """Where the service's own pool is used up, the primary answers that reader; the replica is not to blame for it."""
    served = serve(database_pool_size=1, database_pool_timeout=0.1)
    eventually(lambda: where(served, alice) == THERE)
    caplog.clear()
    assert where_inside(served, alice) == [False]
    assert where(served, alice) == THERE
    (line,) = lines(caplog)
    assert line.endswith(" was not asked: no connection of the pool became free in time")


def test_old_news(caplog: pytest.LogCaptureFixture) -> None:
    """Who set out before the last change tells nothing new, whichever of the two it is."""
    replica = Replica("there", Origin(), max_lag=1, patience=0.001, one_of_several=False)
    early = replica.changes
    replica.failed(early, "was lost")
    replica.answered(early)
    assert replica.away
    replica.answered(replica.changes)
    replica.failed(early, "was lost")
    assert not replica.away
    assert len(lines(caplog)) == 2


def test_one_tries() -> None:
    """Of many readers one tries a replica that is away, when it is time."""
    replica = Replica("there", Origin(), max_lag=1, patience=0.5, one_of_several=False)
    assert [replica.usable() for _ in range(3)] == [True] * 3
    replica.failed(replica.changes, "was lost")
    assert not replica.usable()
    eventually(replica.usable)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        eventually(lambda: sum(pool.map(lambda _: replica.usable(), range(AT_ONCE))) == 1)


def test_forked() -> None:
    """A child tells of a replica, though a thread of its parent's was about to while it forked."""
    replica = Replica("there", Origin(), max_lag=1, patience=1, one_of_several=False)
    with replica.lock, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other tests may have left threads, which is the point
        child = os.fork()
        if not child:
            signal.alarm(30)  # rather than wait for ever
            replica.failed(replica.changes, "was lost")
            os._exit(not replica.away)
    assert os.waitpid(child, 0)[1] == 0
