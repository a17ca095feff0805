"""A Citus cluster of throw-away servers: a coordinator, workers, more of them later; and databases across them all."""

import os
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg import sql

from tests.clusters import ROOT, Cluster, Connection, Database, cluster_of, make_logins, short_folder
from userscope.local.binaries import Binaries
from userscope.local.directory import ServerDirectory
from userscope.migrations.projects import Project, load
from userscope.migrations.runner import migrate
from userscope.postgres.state import ServerState

PROJECTS = [load(ROOT / name) for name in ("schema", "policies", "distributed")]
"""What "distributed = true" in [tool.userscope] means."""

_SETTINGS = {
    "shared_preload_libraries": "citus",
    "citus.node_conninfo": "sslmode=prefer",  # "require" would have each node make itself a certificate
    "citus.shard_count": "8",
    "max_prepared_transactions": "60",  # of commits in two phases
    "max_worker_processes": "60",  # Citus has one for each database
    "wal_level": "logical",  # shards move by it
}


@dataclass
class Nodes:
    """The servers, which trust each other; the coordinator comes first. They lie behind sockets, never on TCP."""

    stack: ExitStack
    rules: Path
    servers: list[Cluster] = field(default_factory=list)

    @property
    def programs(self) -> Binaries:
        """Those of the PostgreSQL that has Citus."""
        return Binaries(Path(os.environ["CITUS_BIN"]))

    @property
    def coordinator(self) -> Cluster:
        """Where migrations run, and where metadata are written."""
        return self.servers[0]

    def start(self) -> Cluster:
        """Start one more server, which is no node of any database yet."""
        binaries = self.programs
        made = self.stack.enter_context(cluster_of(binaries, _version(binaries), **_SETTINGS, hba_file=str(self.rules)))
        if self.servers:
            first, place = (ServerDirectory.find(each.server.home) for each in (self.coordinator, made))
            assert first
            assert place
            logins = first.read_state().logins  # roles, and with them passwords, come from the coordinator
            place.write_state(ServerState(place.read_state().host, logins))
        with made.superuser_connection() as superuser:
            superuser.execute(sql.SQL("alter system set citus.local_hostname = {}").format(host(made)))
            superuser.execute("select pg_reload_conf()")
        self.servers.append(made)
        return made

    def database(self, workers: int = 2) -> "Distributed":
        """Create an empty database with Citus, and with the first servers as its nodes."""
        made = self.plain()
        made.spread(workers)
        return made

    def plain(self) -> "Distributed":
        """Create an empty database on the coordinator alone, without Citus."""
        made = Distributed(self, Database(self.coordinator, f"citus_{secrets.token_hex(4)}"), [])
        self.coordinator.create_database(made.coordinator.name)
        return made


@dataclass
class Distributed:
    """One database: on the coordinator, and under the same name on each worker."""

    nodes: Nodes
    coordinator: Database
    workers: list[Database]

    @property
    def all(self) -> list[Database]:
        """It on every node."""
        return [self.coordinator, *self.workers]

    def execute(self, statement: str | sql.Composed, parameters: Any = None) -> list[tuple[Any, ...]]:
        """Run a statement on the coordinator as the superuser, and return its rows."""
        with self.coordinator.superuser_connection() as superuser:
            superuser.execute("set citus.max_intermediate_result_size = -1")  # what services must not keep
            done = superuser.execute(statement.encode() if isinstance(statement, str) else statement, parameters)
            return done.fetchall() if done.description else []

    def everywhere(self, statement: str) -> list[Any]:
        """Return the one value that a statement gives on each node, asked of the node itself."""
        found = []
        for node in self.all:
            with node.superuser_connection() as superuser:
                row = superuser.execute(statement.encode()).fetchone()
                found.append(row[0] if row else None)
        return found

    def shard_of(self, user: UUID) -> tuple[str, Database]:
        """Return the name of the shard that somebody's todos lie in, and the worker that has it."""
        ((shard, place),) = self.execute(
            "select 'app.todos_' || shardid, nodename from pg_dist_shard_placement "
            "where shardid = get_shard_id_for_distribution_column('app.todos', %s)",
            [user],
        )
        return shard, next(worker for worker in self.workers if worker.url().params["host"] == place)

    def spread(self, workers: int = 2) -> None:
        """Bring Citus to it, and the first servers as its nodes."""
        while len(self.nodes.servers) <= workers:
            self.nodes.start()
        self.execute("create extension citus")
        self.execute(sql.SQL("select citus_set_coordinator_host({}, 5432)").format(host(self.coordinator.cluster)))
        for server in self.nodes.servers[1 : workers + 1]:
            self.add(server)

    def add(self, server: Cluster) -> Database:
        """Make a server a worker of this database."""
        made = replace(self.coordinator, cluster=server)
        server.create_database(made.name)
        with made.superuser_connection() as superuser:
            superuser.execute("create extension citus")
        self.execute(sql.SQL("select citus_add_node({}, 5432)").format(host(server)))
        self.workers.append(made)
        return made

    def migrate(self, to: str | None = None, projects: Sequence[Project] = PROJECTS) -> list[str]:
        """Deploy all that is ours, as "userscope migrate" does, and make the services' logins."""
        labels = migrate(self.coordinator.url(), projects, to=to)
        make_logins(self.coordinator)
        return labels

    def connections(self) -> list[Connection]:
        """A new connection of the superuser to every node; the caller closes them."""
        return [node.superuser_connection() for node in self.all]

    def drop(self) -> None:
        """Drop it everywhere."""
        for node in reversed(self.all):
            node.drop()


def host(server: Cluster) -> sql.Literal:
    """What the nodes call each other: the folder of a server's socket."""
    return sql.Literal(server.url("admin").params["host"])


def _version(binaries: Binaries) -> int:
    said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True)
    return int(said.stdout.split()[2].split(".")[0])


@contextmanager
def nodes_of(workers: int = 2) -> Iterator[Nodes]:
    """Run a coordinator and its workers until the end of the block."""
    with ExitStack() as stack:
        rules = stack.enter_context(short_folder()) / "pg_hba.conf"
        rules.write_text("local all all trust\n")
        made = Nodes(stack, rules)
        for _ in range(workers + 1):
            made.start()
        yield made
