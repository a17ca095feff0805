"""A server with a standby that has everything it acknowledges, and takes its place."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.clusters import Cluster, Database
from tests.outages.load import Load, Request
from tests.outages.rig import Rig, kill, lasting, ordinary
from tests.processes import eventually
from tests.replication import follow
from userscope.database import Database as Service
from userscope.errors import Unavailable
from userscope.models import Todo


@contextmanager
def replicated(_: Cluster) -> Iterator[Rig]:
    """A rig whose server waits with every acknowledgement until its standby has it."""
    with ExitStack() as stack:
        primary, standby = stack.enter_context(lasting()), stack.enter_context(lasting())
        follow(primary, standby)
        rig = stack.enter_context(ordinary(primary))
        rig.standby = standby
        tell(primary, "alter system set synchronous_standby_names = '*'")
        synchronous = "select from pg_stat_replication where sync_state = 'sync'"
        with primary.superuser_connection() as superuser:
            eventually(lambda: superuser.execute(synchronous).fetchone() is not None)
        yield rig
        # What is left to be dropped lives where it was promoted; the first server is gone.
        rig.cluster.server.start()
        tell(primary, "alter system reset synchronous_standby_names")


def tell(cluster: Cluster, statement: str) -> None:
    """Run a statement as the superuser, and let the server read its configuration again."""
    with cluster.superuser_connection() as superuser:
        superuser.execute(statement.encode())
        superuser.execute("select pg_reload_conf()")


def lose_standby(rig: Rig, load: Load) -> None:
    """The standby goes: every COMMIT waits for it, and no timeout of the server's ends that; then it is back."""
    assert rig.standby
    rig.standby.server.stop()
    load.each("failed")
    rig.standby.server.start()


def fail_over(rig: Rig, load: Load) -> None:
    """The server is lost, and its standby takes over: the wire is led there, and libpq finds it among its hosts."""
    standby = rig.standby
    assert standby
    kill(rig.server)
    load.each("failed")
    rig.judge = Database(standby, rig.town.database.name)
    with Service(rig.settings(rig.judge.url("service"))) as waiting:
        # Who is connected to the standby reads there, and writes as soon as it may.
        user = load.people[0]
        with pytest.raises(Unavailable, match="read-only") as refused, waiting.session(user) as session:
            session.add(Todo(title="not here"))
        assert refused.value.sqlstate == "25006"
        with waiting.reader(user) as session:
            Request(load.truth, str(user), "read", client_id=False).work(session)
        with standby.superuser_connection() as superuser:
            superuser.execute("select pg_promote()")
        with waiting.session(user) as session:
            request = Request(load.truth, str(user), "write", client_id=True)
            request.work(session)
        load.truth.ended(str(user), request.tokens, "committed")
    rig.proxy.target = rig.judge.url("service")
