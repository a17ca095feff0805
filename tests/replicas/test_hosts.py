"""Several hosts in DATABASE_REPLICA_URL: each has a state of its own; one in trouble takes none of the others along."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from psycopg import sql

from tests.clusters import Cluster, Database
from tests.connection.served import Served, run
from tests.processes import eventually
from tests.replicas.conftest import Serve, Wires
from tests.replicas.test_outages import ALICES, NOWHERE, THERE, lines, where
from tests.replicas.test_readers import add, titles
from tests.replication import Pair, following, replicated
from tests.silence import SilentProxy
from userscope.connection.health import Health
from userscope.database import Database as Service
from userscope.errors import InvalidURL, UnfitReplica
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings

WHICH = "select pg_postmaster_start_time()"
AGAIN = " answers again"


@dataclass
class Hosts:
    """Two standbys of one primary, and the wires to them, of which the first is ``wires.standby``."""

    first: Pair
    second: Pair
    wires: tuple[SilentProxy, SilentProxy]
    all_wires: Wires

    def url(self, **params: str) -> str:
        """Both hosts in one URL."""
        both = {name: ",".join(wire.url.params[name] for wire in self.wires) for name in ("host", "port")}
        return ConnectionURL("DATABASE_REPLICA_URL", {**self.wires[0].url.params, **both, **params}).text()

    @property
    def names(self) -> tuple[str, str]:
        """How the log names them."""
        one, other = (wire.url.place for wire in self.wires)
        return one, other

    def asked(self, served: Served, user: UUID, times: int = 12) -> list[object]:
        """Who answered readers, the primary by None."""
        started = {self.started(pair): number for number, pair in enumerate((self.first, self.second), start=1)}
        found = [served.reader(user, lambda session: run(session, WHICH))[0] for _ in range(times)]
        return [started.get(each) for each in found]

    def started(self, pair: Pair) -> object:
        """When a standby was started: no two at once."""
        with pair.standby.superuser_connection() as superuser:
            (found,) = superuser.execute(WHICH).fetchone() or (None,)
            return found

    def health(self) -> Health:
        """What a service with both finds."""
        with Service(self.all_wires.settings(database_replica_url=self.url())) as service:
            return service.health()

    def catch_up(self) -> None:
        """Wait until both have everything."""
        self.first.catch_up()
        self.second.catch_up()


@pytest.fixture(scope="module")
def second(pair: Pair) -> Iterator[Pair]:
    """The same primary with another standby."""
    with following(pair.primary.cluster) as cluster:
        yield Pair(pair.primary, Database(cluster, "app"))


@pytest.fixture
def hosts(pair: Pair, second: Pair, wires: Wires, alice: UUID) -> Iterator[Hosts]:
    """Both standbys, which know her."""
    assert alice
    second.catch_up()
    with SilentProxy(second.url()) as wire:
        made = Hosts(pair, second, (wires.standby, wire), wires)
        yield made


@pytest.fixture
def served(serve: Serve, hosts: Hosts) -> Served:
    """A service that reads from both."""
    return serve(database_replica_url=hosts.url(), database_replica_max_lag=1, database_pool_timeout=0.5)


def test_by_chance(served: Served, serve: Serve, hosts: Hosts, wires: Wires, alice: UUID) -> None:
    """Readers go to both, one trip a statement, and to the first alone where the URL says so."""
    eventually(lambda: {1, 2} == set(hosts.asked(served, alice)))
    with wires.primary.counting() as here, hosts.wires[0].counting() as one, hosts.wires[1].counting() as other:
        assert served.reader(alice, titles) == ALICES
    assert (here.trips, one.trips + other.trips) == (0, 1)
    in_order = serve(database_replica_url=hosts.url(load_balance_hosts="disable"))
    assert set(hosts.asked(in_order, alice)) == {1}


def test_killed(served: Served, hosts: Hosts, alice: UUID, caplog: pytest.LogCaptureFixture) -> None:
    """One is killed under its readers: they never notice, and the other one takes all; it comes back by itself."""
    eventually(lambda: {1, 2} == set(hosts.asked(served, alice)))
    hosts.first.standby.cluster.server.stop(immediately=True)
    try:
        hosts.wires[0].cut()
        for _ in range(20):
            assert served.reader(alice, titles) == ALICES
        assert len(lines(caplog)) <= 1  # one at most has found out by chance
        eventually(lambda: served.reader(alice, titles) == ALICES and bool(lines(caplog)))
        assert lines(caplog)[0].startswith(f'the primary answers readers: the replica at "{hosts.names[0]}" ')
    finally:
        hosts.first.standby.cluster.server.start()
    eventually(lambda: served.reader(alice, titles) == ALICES and lines(caplog)[-1].endswith(AGAIN))
    assert len(lines(caplog)) == 2
    eventually(lambda: {1, 2} == set(hosts.asked(served, alice)))


def test_last_one(served: Served, hosts: Hosts, wires: Wires, alice: UUID) -> None:
    """One of them answers while the other one and the primary are away: who finds one away is led to the next."""
    assert served.reader(alice, titles) == ALICES
    for wire in (wires.primary, hosts.wires[0]):
        wire.target = NOWHERE
        wire.cut()
    deadline = time.monotonic() + 1.5  # the lost one is tried more than once meanwhile
    while time.monotonic() < deadline:
        assert served.reader(alice, titles) == ALICES


@pytest.mark.breadth
def test_lagging(served: Served, hosts: Hosts, alice: UUID, caplog: pytest.LogCaptureFixture) -> None:
    """One that is far behind is left for the other; own writes are seen wherever chance leads."""
    hosts.first.pause()
    try:
        position = add(served, alice, "new")
        hosts.second.catch_up()
        for _ in range(12):
            assert "new" in served.reader(alice, titles, after=position)
        assert set(hosts.asked(served, alice)) <= {1, 2}
        eventually(lambda: served.reader(alice, titles) and bool(lines(caplog)))
        assert "more than 1 seconds behind" in lines(caplog)[0]
        assert hosts.names[0] in lines(caplog)[0]
        answers = {2} & set(hosts.asked(served, alice))
        assert answers, "the other one answers"
    finally:
        hosts.first.resume()
    eventually(lambda: {1, 2} == set(hosts.asked(served, alice)))


@pytest.mark.breadth
def test_promoted(serve: Serve, hosts: Hosts, second: Pair, alice: UUID, caplog: pytest.LogCaptureFixture) -> None:
    """One is promoted: what it writes nobody sees, and the other one answers."""
    with following(second.primary.cluster) as cluster:
        hosts.wires[0].target = cluster.url("service")
        served = serve(database_replica_url=hosts.url(), database_pool_timeout=0.5)
        for _ in range(12):
            served.reader(alice, titles)
        with cluster.superuser_connection() as superuser:
            superuser.execute("select pg_promote()")
        with cluster.superuser_connection("app") as superuser:
            superuser.execute("insert into app.todos (owner_id, title) values (%s, 'elsewhere')", [alice])
        for _ in range(30):
            assert served.reader(alice, titles) == ALICES
        assert [line for line in lines(caplog) if "was promoted" in line] == lines(caplog)
        assert hosts.names[0] in lines(caplog)[0]
        assert 2 in hosts.asked(served, alice)
        (one, other) = hosts.health().replicas
        assert (one.problem, other.problem) == ("it is a primary", None)


def test_primary_among_them(
    serve: Serve, hosts: Hosts, pair: Pair, alice: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    """Both servers of a pair may be named, whichever follows: the one that writes serves no readers here."""
    hosts.wires[1].target = pair.primary.url("service")
    served = serve(database_replica_url=hosts.url())
    assert {1, None} >= set(hosts.asked(served, alice))
    eventually(lambda: 1 in hosts.asked(served, alice, 4) and bool(lines(caplog)))
    assert [line.rpartition('"')[2] for line in lines(caplog)] == [" cannot be used: it is a primary"]
    assert hosts.health().fit


@pytest.mark.breadth
def test_other_server_among_them(serve: Serve, hosts: Hosts, alice: UUID, elsewhere: Cluster) -> None:
    """One that follows another server is refused all the same, and the health says which one it is."""
    hosts.wires[1].target = elsewhere.url("service")
    found = hosts.health()
    assert [each.unfit for each in found.replicas] == [False, True]
    assert found.problems == (f'DATABASE_REPLICA_URL names a replica of another server: "{hosts.names[1]}"',)
    served = serve(database_replica_url=hosts.url())

    def refused() -> bool:
        try:
            assert where(served, alice) == THERE
        except UnfitReplica:
            return True
        return False

    eventually(refused)


@pytest.fixture
def elsewhere(pair: Pair) -> Iterator[Cluster]:
    """A standby of another server, whose login has the same password."""
    with replicated(pair.primary.cluster.version) as other:
        password = sql.Literal(pair.url().params["password"])
        other.primary.cluster.execute(sql.SQL("alter role app_service password {}").format(password))
        other.catch_up()
        yield other.standby.cluster


def test_health(hosts: Hosts) -> None:
    """The health tells of each host; with one of them away it says so, and which one."""
    assert [(each.host, each.problem) for each in hosts.health().replicas] == [(name, None) for name in hosts.names]
    hosts.wires[1].target = NOWHERE
    found = hosts.health()
    assert found.fit
    assert [each.problem is None for each in found.replicas] == [True, False]


@pytest.mark.parametrize(("host", "port"), [("a,b", "1,2,3"), ("a,b,c", "1,2")])
def test_ports(host: str, port: str) -> None:
    """Hosts and ports that do not pair are refused when the URL is read."""
    url = f"postgresql://u@/app?host={host}&port={port}&sslmode=require"
    settings = Settings(_env_file=None, database_url="postgresql://u@localhost/app", database_replica_url=url)
    with pytest.raises(InvalidURL, match="not one port for all of its hosts, or one for each"):
        Service(settings)
