"""A server, and a standby that follows it by PostgreSQL's own streaming replication."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.clusters import Cluster, Connection, Database, cluster_of, deploy, make_logins
from tests.processes import eventually
from tests.versions import binaries as binaries_of
from userscope.local.account import Account
from userscope.local.binaries import Binaries
from userscope.local.directory import ServerDirectory
from userscope.postgres.url import ConnectionURL

# What is acknowledged must have a place in the log that a standby can reach.
_SETTINGS = {
    "synchronous_commit": "on",
    "max_connections": "60",
    "wal_level": "replica",
    "wal_keep_size": "512MB",  # a standby that was away for a while finds all of it
}


@dataclass
class Pair:
    """A database on its primary, and the same on the standby."""

    primary: Database
    standby: Database

    def url(self, login: str = "service") -> ConnectionURL:
        """Where readers go."""
        return self.standby.url(login)

    def tell(self, statement: str) -> None:
        """Have the standby's superuser run a statement."""
        with self.standby.superuser_connection() as superuser:
            superuser.execute(statement.encode())

    def pause(self) -> None:
        """Let the standby go on receiving, and replay nothing."""
        self.tell("select pg_wal_replay_pause()")
        with self.standby.superuser_connection() as superuser:
            eventually(lambda: superuser.execute("select pg_get_wal_replay_pause_state()").fetchone() == ("paused",))

    def resume(self) -> None:
        """Let the standby replay again, and wait until it has everything."""
        self.tell("select pg_wal_replay_resume()")
        self.catch_up()

    def promote(self) -> None:
        """Let the standby become a server of its own."""
        self.tell("select pg_promote()")

    def catch_up(self) -> None:
        """Wait until the standby has replayed what the primary has written."""
        with self.primary.superuser_connection() as there, self.standby.superuser_connection() as here:
            # What is written but not flushed goes along: a position may lie there, and nothing else may ever send it.
            written = there.execute("select pg_logical_emit_message(true, 'tests', '')").fetchone()
            assert written
            try:
                eventually(lambda: _replayed(here, written[0]))
            except AssertionError as late:
                place = ServerDirectory.find(self.standby.cluster.server.home)
                raise AssertionError(
                    f"the standby does not follow:\n{place and place.log.read_text()[-2000:]}"
                ) from late


def _replayed(standby: Connection, position: str) -> bool:
    return standby.execute("select pg_last_wal_replay_lsn() >= %s::pg_lsn", [position]).fetchone() == (True,)


@contextmanager
def replicated(version: int) -> Iterator[Pair]:
    """Run a migrated primary and its standby."""
    with ExitStack() as stack:
        primary = stack.enter_context(cluster_of(None, version, **_SETTINGS))
        database = Database(primary, "app")
        deploy(database.url())
        make_logins(database)
        standby = stack.enter_context(following(primary))
        pair = Pair(database, Database(standby, "app"))
        pair.catch_up()
        yield pair


@contextmanager
def following(primary: Cluster) -> Iterator[Cluster]:
    """Run a standby of a server, by pg_basebackup."""
    with cluster_of(None, primary.version, **_SETTINGS) as standby:
        follow(primary, standby)
        yield standby


def follow(primary: Cluster, standby: Cluster) -> None:
    """Replace a server's data by a copy of the primary's that follows it."""
    source, place = _let_follow(primary), ServerDirectory.find(standby.server.home)
    assert place
    standby.server.stop(immediately=True)
    place.private_folder(place.data.name)
    binaries, account = binaries_of(primary.version) or Binaries.embedded(), Account.serving()
    if binaries.version(account) is None:
        binaries = Binaries(next(place.folder.glob("binaries-*")) / "postgresql" / "install" / "bin")
    done = account.run(
        binaries / "pg_basebackup", "-d", _to_follow(primary), "-D", place.data, "-R", "-c", "fast", "--no-sync"
    )
    assert done.returncode == 0, done.stdout
    with (place.data / "postgresql.auto.conf").open("a") as settings:  # the last one counts
        settings.write(f"primary_conninfo = {sql.Literal(_to_follow(primary)).as_string()}\n")
    place.write_state(replace(place.read_state(), logins=source.read_state().logins))
    standby.server.start()


def follow_on(primary: Cluster, standby: Cluster) -> None:
    """Let a standby follow another server of the same history, such as one that took over."""
    _let_follow(primary)
    setting = sql.SQL("alter system set primary_conninfo = {}")
    standby.execute(setting.format(sql.Literal(_to_follow(primary))))
    with standby.superuser_connection() as superuser:
        superuser.execute("select pg_reload_conf()")


def _let_follow(primary: Cluster) -> ServerDirectory:
    source = ServerDirectory.find(primary.server.home)
    assert source
    rules = source.folder / "pg_hba.conf"
    if "replication" not in rules.read_text():
        rules.write_text(rules.read_text() + "local replication all scram-sha-256\n")
    with primary.superuser_connection() as superuser:
        superuser.execute("select pg_reload_conf()")
    return source


def _to_follow(primary: Cluster) -> str:
    """What any libpq understands: a wheel's server takes the system's, older than its pg_basebackup's and psycopg's."""
    params = primary.url("admin").params
    return make_conninfo(**{name: value for name, value in params.items() if name != "dbname"})
