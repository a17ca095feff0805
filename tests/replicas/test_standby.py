"""Seals, the clean slate, the guard, the limit of a statement and a dead connection are on a standby what they are."""

import select
from uuid import UUID

import pytest

from tests.connection.served import run
from tests.connection.test_identity_binding import libpq_of
from tests.replicas.conftest import Serve, Wires
from tests.replicas.test_outages import ALICES, THERE, lines, where
from tests.replicas.test_readers import titles
from tests.replication import Pair
from userscope.admin import seals
from userscope.errors import SealRejected, Unavailable


def test_sealed(serve: Serve, pair: Pair, alice: UUID) -> None:
    """A sealed identity counts on the standby; one without a seal counts nowhere."""
    key, _ = seals.add(pair.primary.url())
    seals.require(pair.primary.url())
    pair.catch_up()
    try:
        served = serve(userscope_seal_key=key.text())
        assert served.reader(alice, titles) == ALICES
        assert where(served, alice) == THERE
        with pytest.raises(SealRejected):
            serve().reader(alice, titles)
    finally:
        seals.relax(pair.primary.url())
        pair.catch_up()


def test_clean_slate(serve: Serve, alice: UUID, bob: UUID) -> None:
    """What one reader leaves on its connection is gone for the next."""
    served = serve(database_pool_size=1)
    left = "select pg_backend_pid(), set_config('app.user_id', :bob, false), pg_advisory_lock_shared(7)"
    (pid, *_) = served.reader(alice, lambda session: run(session, left, bob=str(bob)))[0]
    locks = "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
    assert served.reader(alice, lambda session: run(session, "select pg_backend_pid()")) == [pid]
    assert served.reader(alice, lambda session: run(session, locks)) == [0]
    assert served.reader(alice, titles) == ALICES
    assert where(served, alice) == THERE


def test_timeout(serve: Serve, wires: Wires, alice: UUID) -> None:
    """A statement that takes too long is ended there, and not begun anew on the primary."""
    served = serve(database_statement_timeout="50ms")
    where(served, alice)
    with wires.primary.counting() as here, pytest.raises(Unavailable) as ended:
        served.reader(alice, lambda session: run(session, "select pg_sleep(60)"))
    assert (ended.value.sqlstate, here.trips) == ("57014", 0)


def test_dead_connection(serve: Serve, wires: Wires, pair: Pair, alice: UUID) -> None:
    """A connection that the standby has closed meanwhile is noticed without asking, and replaced."""
    served = serve()
    assert where(served, alice) == THERE
    libpq = served.reader(alice, libpq_of)
    with pair.standby.superuser_connection() as superuser:
        superuser.execute("select pg_terminate_backend(pid, 60000) from pg_stat_activity where usename = 'app_service'")
    assert select.select([libpq.socket], [], [], 60)[0], "what is still on its way nobody can have heard"
    with wires.primary.counting() as here:
        assert where(served, alice) == THERE
    assert here.trips == 0


def test_guard(serve: Serve, wires: Wires, pair: Pair, alice: UUID, caplog: pytest.LogCaptureFixture) -> None:
    """A login that no policy binds reads nothing on the standby either."""
    wires.standby.target = pair.url("admin")
    admin = wires.standby.url.text()
    assert serve(database_replica_url=admin).reader(alice, titles) == ALICES
    assert [line for line in lines(caplog) if "bypasses row-level security" in line]
