"""What befalls a replica is no error where the primary lives, and one line in the log; readers do without a primary."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest

from tests.clusters import Cluster
from tests.connection.served import Served, run
from tests.processes import eventually
from tests.replicas.conftest import Serve, Wires
from tests.replicas.test_readers import WHERE, add, titles
from tests.replication import Pair, following, replicated
from userscope.errors import Unavailable, UnfitReplica
from userscope.postgres.url import ConnectionURL

NOWHERE = ConnectionURL("nowhere", {"host": "/nowhere", "port": "1", "dbname": "app"})
ALICES = {"alice 1", "alice 2", "alice 3"}
THERE = [True]


def where(served: Served, user: UUID) -> list[bool]:
    """Whether a reader's answer came from a standby."""
    return served.reader(user, lambda session: run(session, WHERE))


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said of the replica."""
    return [record.message for record in caplog.records if record.name == "userscope.connection.replica"]


def test_away(serve: Serve, wires: Wires, alice: UUID, caplog: pytest.LogCaptureFixture) -> None:
    """A replica is lost while it is asked, and away for a while: the primary answers, and once it is said."""
    served = serve(database_pool_timeout=0.5)
    assert where(served, alice) == THERE
    wires.standby.lost = b"app.todos"  # every wire to it is cut in the middle of a statement
    assert served.reader(alice, titles) == ALICES
    wires.standby.target = NOWHERE
    for _ in range(5):
        assert served.reader(alice, titles) == ALICES
    said = lines(caplog)
    assert len(said) == 1
    assert "the primary answers readers" in said[0]


def test_back(serve: Serve, wires: Wires, pair: Pair, alice: UUID, caplog: pytest.LogCaptureFixture) -> None:
    """A replica that is back is read from again, and that is said as well."""
    served = serve(database_pool_timeout=0.5)
    assert where(served, alice) == THERE
    wires.standby.target = NOWHERE
    wires.standby.cut()
    assert where(served, alice) == [False]
    wires.standby.target = pair.url()
    eventually(lambda: where(served, alice) == THERE)
    assert [line.rpartition('"')[2] for line in lines(caplog)[-1:]] == [" answers again"]


def test_never_there(serve: Serve, wires: Wires, alice: UUID) -> None:
    """A replica that was away from the start is none either."""
    wires.standby.target = NOWHERE
    served = serve()
    assert served.reader(alice, titles) == ALICES


def test_primary_away(serve: Serve, wires: Wires, pair: Pair, alice: UUID) -> None:
    """Readers go on without the primary, also those that are after what the replica has; sessions cannot."""
    served = serve()
    position = add(served, alice, "before")
    pair.catch_up()  # to see the row is less: a position may lie behind its COMMIT
    where_to = wires.primary.target
    wires.primary.target = NOWHERE
    wires.primary.cut()
    assert "before" in served.reader(alice, titles)
    assert "before" in served.reader(alice, titles, after=position)
    with pytest.raises(Unavailable):
        served.session(alice, titles)
    fresh = serve()
    assert "before" in fresh.reader(alice, titles)
    wires.primary.target = where_to
    assert "before" in served.session(alice, titles)


@contextmanager
def _conflicting(pair: Pair) -> Iterator[None]:
    """Whoever reads on the standby in this block is ended by what the primary does to the table."""
    with pair.standby.superuser_connection() as superuser:
        superuser.execute("alter system set max_standby_streaming_delay = '10ms'")
        superuser.execute("select pg_reload_conf()")
        yield
        superuser.execute("alter system reset max_standby_streaming_delay")
        superuser.execute("select pg_reload_conf()")


def test_conflict(serve: Serve, pair: Pair, alice: UUID, caplog: pytest.LogCaptureFixture) -> None:
    """A reader that stands in the way of the replica's recovery (40001) is answered by the primary."""
    served = serve()
    served.reader(alice, titles)
    found: list[object] = []
    reading = "select count(*) from app.todos, pg_sleep(case when pg_is_in_recovery() then 60 else 0 end)"
    with _conflicting(pair):
        thread = threading.Thread(
            target=lambda: found.extend(served.reader(alice, lambda session: run(session, reading)))
        )
        thread.start()
        asleep = "select from pg_stat_activity where wait_event = 'PgSleep'"
        with pair.standby.superuser_connection() as superuser:
            eventually(lambda: superuser.execute(asleep).fetchone() is not None)
        with pair.primary.superuser_connection() as superuser, superuser.transaction():
            superuser.execute("lock table app.todos in access exclusive mode")
        thread.join()
    assert found == [3]
    assert [line for line in lines(caplog) if "40001" in line]
    pair.catch_up()
    assert where(served, alice) == THERE  # it is no reason to stay away


def test_far_behind(serve: Serve, pair: Pair, alice: UUID, caplog: pytest.LogCaptureFixture) -> None:
    """A replica that is later than DATABASE_REPLICA_MAX_LAG is not read from until it has caught up."""
    served = serve(database_replica_max_lag=1, database_pool_timeout=0.5)
    assert where(served, alice) == THERE
    pair.pause()
    try:
        add(served, alice, "unseen")
        eventually(lambda: where(served, alice) == [False])
        assert len([line for line in lines(caplog) if "more than 1 seconds behind" in line]) == 1
    finally:
        pair.resume()
    eventually(lambda: where(served, alice) == THERE)


def test_isolation(serve: Serve, pair: Pair, alice: UUID) -> None:
    """Where whole transactions keep one snapshot, the replica's word on how far it is may be newer than its answer."""
    served = serve()
    position = add(served, alice, "here")
    with pair.primary.superuser_connection() as superuser:
        superuser.execute("alter database app set default_transaction_isolation = 'repeatable read'")
    pair.catch_up()
    try:
        other = serve()
        after = other.reader(alice, lambda session: run(session, WHERE), after=position)
        assert (after, where(other, alice)) == ([False], THERE)
    finally:
        with pair.primary.superuser_connection() as superuser:
            superuser.execute("alter database app reset default_transaction_isolation")
        pair.catch_up()


def test_primary_as_replica(serve: Serve, wires: Wires, pair: Pair, alice: UUID) -> None:
    """A primary that is named as the replica is an error, of readers and of the health; writers do not care."""
    wires.standby.target = pair.primary.url("service")
    served = serve()
    with pytest.raises(UnfitReplica, match="names a primary, and no replica"):
        served.reader(alice, titles)
    assert served.session(alice, titles) == ALICES


@pytest.mark.breadth
def test_other_database(serve: Serve, wires: Wires, pair: Pair, alice: UUID) -> None:
    """Another database on the replica is refused."""
    with pair.primary.superuser_connection() as superuser:
        superuser.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'app' and pid <> pg_backend_pid()"
        )
    other = pair.primary.cluster.clone("app")
    pair.catch_up()
    wires.standby.target = pair.url().on(other.name)
    with pytest.raises(UnfitReplica, match="replica of another database"):
        serve().reader(alice, titles)


@pytest.mark.breadth
def test_other_server(serve: Serve, wires: Wires, alice: UUID, other_standby: Cluster) -> None:
    """A standby of another server is refused."""
    wires.standby.target = other_standby.url("service")
    with pytest.raises(UnfitReplica, match="replica of another server"):
        serve().reader(alice, titles)


@pytest.fixture
def other_standby(pair: Pair) -> Iterator[Cluster]:
    """A standby of another server, on which the service's login may read as well."""
    with replicated(pair.primary.cluster.version) as other:
        yield other.standby.cluster


@pytest.mark.breadth
def test_other_server_found_late(serve: Serve, wires: Wires, alice: UUID, other_standby: Cluster) -> None:
    """What leads to a standby of another server, since nobody could compare them, is used by nobody once one can."""
    wires.standby.target = other_standby.url("service")
    served = serve()
    where_to, wires.primary.target = wires.primary.target, NOWHERE
    assert served.reader(alice, titles) == set()  # her rows are not there; that it answers shows that it was asked
    wires.primary.target = where_to
    assert served.session(alice, titles) == ALICES
    for _ in range(3):
        with pytest.raises(UnfitReplica, match="replica of another server"):
            served.reader(alice, titles)


@pytest.mark.breadth
def test_without_control_file(serve: Serve, pair: Pair, alice: UUID) -> None:
    """Who may not read PostgreSQL's control file is served all the same, and reads their own writes."""
    with pair.primary.superuser_connection() as superuser:
        for function in ("pg_control_system", "pg_control_checkpoint"):
            superuser.execute(f"revoke execute on function {function}() from public".encode())
    pair.catch_up()
    try:
        served = serve()
        assert where(served, alice) == THERE
        position = add(served, alice, "mine")
        pair.catch_up()
        assert served.reader(alice, lambda session: run(session, WHERE), after=position) == THERE
    finally:
        with pair.primary.superuser_connection() as superuser:
            for function in ("pg_control_system", "pg_control_checkpoint"):
                superuser.execute(f"grant execute on function {function}() to public".encode())
        pair.catch_up()


@pytest.mark.breadth
def test_promoted(serve: Serve, wires: Wires, pair: Pair, alice: UUID, caplog: pytest.LogCaptureFixture) -> None:
    """A replica that is promoted under its readers is left; its positions are of another timeline."""
    with following(pair.primary.cluster) as cluster:
        wires.standby.target = cluster.url("service")
        served = serve(database_pool_timeout=0.5)
        eventually(lambda: where(served, alice) == THERE)
        with cluster.superuser_connection() as superuser:
            superuser.execute("select pg_promote()")
        for _ in range(3):
            assert served.reader(alice, titles) == ALICES
            assert where(served, alice) == [False]
        assert [line for line in lines(caplog) if "was promoted" in line] == lines(caplog)
        with cluster.superuser_connection("app") as superuser:
            superuser.execute("insert into app.todos (owner_id, title) values (%s, 'elsewhere')", [alice])
        assert served.reader(alice, titles) == ALICES
