"""What an outage befalls: a server that keeps what it acknowledges, with a wire and a pooler before it."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.clusters import Cluster, Connection, Database
from tests.connection.conftest import settings_for
from tests.outages.load import CONNECTIONS, Load
from tests.pooling.pgbouncer import PgBouncer, pgbouncer
from tests.processes import eventually, gone, postmaster
from tests.silence import SilentProxy
from tests.soak.town import Town, town
from userscope.local.server import Server
from userscope.local.throwaway import throwaway
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings

USERS = 120
# A throw-away server acknowledges before it has written; whoever kills one has to ask for better.
LASTING = {"synchronous_commit": "on", "max_connections": "24"}


@dataclass
class Rig:
    """One server with a town; ``judge`` is where the truth is looked for at the end."""

    cluster: Cluster
    town: Town
    proxy: SilentProxy
    judge: Database
    stack: ExitStack
    standby: Cluster | None = None
    ballast: Path | None = None
    _pooler: list[PgBouncer] = field(default_factory=list)

    @property
    def pooler(self) -> PgBouncer:
        """A PgBouncer before the server, started when it is first asked for."""
        if not self._pooler:
            self._pooler.append(self.stack.enter_context(pgbouncer(self.town.database, size=4)))
        return self._pooler[0]

    @property
    def server(self) -> Server:
        """The server itself."""
        return self.cluster.server

    def superuser(self) -> Connection:
        """A connection of the superuser to the town."""
        return self.town.database.superuser_connection()

    def settings(self, url: ConnectionURL) -> Settings:
        """The settings of a service that comes by ``url``; its patience is short, so that a test's may be."""
        return settings_for(
            url,
            userscope_seal_key=self.town.key.text(),
            database_pool_size=CONNECTIONS,
            database_pool_timeout=1,
            database_statement_timeout="1s",
        )

    def url_of(self, road: str) -> ConnectionURL:
        """How a service comes to the server: by "wire", "pooler", or the "hosts" of a server and its standby."""
        direct = self.town.database.url("service")
        if road == "wire":
            return self.proxy.url
        if road == "pooler":
            return self.pooler.url
        assert self.standby
        both = {name: f"{direct.params[name]},{self.standby.url('service').params[name]}" for name in ("host", "port")}
        return ConnectionURL("DATABASE_URL", {**direct.params, **both, "target_session_attrs": "read-write"})

    def load(self, roads: tuple[str, str], seed: int = 0) -> Load:
        """A load by these two roads: of threads, and of tasks."""
        first, second = (self.settings(self.url_of(road)) for road in roads)
        return Load(self.town.people, (first, second), seed=seed)

    def check(self, load: Load) -> None:
        """Judge what is there when nothing is on its way any more."""
        truth = load.truth
        with self.judge.superuser_connection() as superuser:
            busy = "select from pg_stat_activity where datname = current_database() and usename = 'app_service' "
            # The server has to be done with what it was sent.
            eventually(lambda: not superuser.execute(f"{busy} and state <> 'idle'".encode()).fetchone())
            truth.check_all(superuser, teams=True)
            miscounted = superuser.execute(
                "select users.id::text, name::integer, count(todos.id) from app.users left join app.todos "
                "on owner_id = users.id group by users.id having name::integer <> count(todos.id)"
            ).fetchall()
        truth.faults += [f"{user} counted {counted}, but has {rows} rows" for user, counted, rows in miscounted]


@contextmanager
def lasting(settings: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """A server that may be killed: what it acknowledged it has written."""
    with throwaway(settings={**LASTING, **(settings or {})}) as server:
        yield Cluster(server, 18)


@contextmanager
def ordinary(cluster: Cluster, users: int = USERS) -> Iterator[Rig]:
    """A town on a server, for one outage after the other."""
    with ExitStack() as stack:
        made = stack.enter_context(town(cluster, users))
        proxy = stack.enter_context(SilentProxy(made.database.url("service")))
        yield Rig(cluster, made, proxy, made.database, stack)


def kill(server: Server) -> None:
    """Kill every process of a server, so that none can say or finish anything: a machine that loses its power."""
    pid = postmaster(server)
    os.kill(pid, signal.SIGSTOP)  # no child of its is born or mourned meanwhile
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    everyone = [pid, *map(int, children)]
    for each in everyone:
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    eventually(lambda: all(map(gone, everyone)))
