"""Every outage: how it comes about, and what has to be seen before it ends. Nothing here waits for a time."""

import os
import random
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass

import psycopg

from tests.clusters import Cluster
from tests.outages.disk import fill, small
from tests.outages.failover import fail_over, lose_standby, replicated, tell
from tests.outages.load import Load
from tests.outages.rig import Rig, kill, ordinary
from tests.processes import meanwhile


@dataclass(frozen=True)
class Outage:
    """``strike`` brings it about and ends it; ``roads``: by which the threads and the tasks come to the server."""

    strike: Callable[[Rig, Load], None]
    roads: tuple[str, str] = ("wire", "pooler")
    rig: Callable[[Cluster], AbstractContextManager[Rig]] = ordinary
    repeatable: bool = True


def carry_out(outage: Outage, cluster: Cluster, *, rounds: int = 1, seed: int = 0) -> Load:
    """Let an outage happen under load, once or more; return the load with the truth about it."""
    with outage.rig(cluster) as rig:
        with rig.load(outage.roads, seed) as load:
            load.each("written")
            for _ in range(rounds):
                outage.strike(rig, load)
                # The same services, with nothing done to them, serve everybody again.
                load.each("written", 2)
                load.each("read")
        rig.check(load)
    return load


def _killed(rig: Rig, load: Load) -> None:
    kill(rig.server)
    load.each("failed")
    rig.server.start()


def _backend_killed(rig: Rig, _: Load) -> None:
    with rig.superuser() as superuser:
        pids = [pid for (pid,) in superuser.execute("select pid from pg_stat_activity where usename = 'app_service'")]
    os.kill(random.choice(pids), signal.SIGKILL)  # noqa: S311  # any will do: the server ends all others as well


def _restarted(rig: Rig, _: Load) -> None:
    rig.server.stop()
    rig.server.start()


def _restarted_immediately(rig: Rig, _: Load) -> None:
    rig.server.stop(immediately=True)
    rig.server.start()


def _asleep(rig: Rig, load: Load) -> None:
    rig.server.stop()
    load.each("failed", 2)
    rig.server.start()


def _pooler_killed(rig: Rig, load: Load) -> None:
    rig.pooler.stop()
    load.each("failed", 2)
    rig.pooler.start()


def _pooler_restarted(rig: Rig, load: Load) -> None:
    rig.pooler.shut_down()
    load.each("failed")
    rig.pooler.start()


def _cut(rig: Rig, load: Load) -> None:
    for _ in range(5):
        rig.proxy.cut()
        load.each("read")


def _slow(rig: Rig, load: Load) -> None:
    before, rig.proxy.delay = rig.proxy.delay, 0.05
    load.each("written")
    rig.proxy.delay = before


def _silent(rig: Rig, load: Load) -> None:
    with rig.proxy.silence():
        load.each("failed")


def _crowded(rig: Rig, load: Load) -> None:
    """Strangers take every connection that the server has, as a service does whose pool is too large."""
    conninfo = rig.town.database.url("service").conninfo()

    def crowd(over: threading.Event) -> None:
        pids: list[int] = []
        with ExitStack() as strangers, rig.superuser() as superuser:
            while not over.wait(0.01):
                with suppress(psycopg.OperationalError):
                    pids.append(strangers.enter_context(psycopg.connect(conninfo, autocommit=True)).info.backend_pid)
                    continue
                superuser.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where usename = 'app_service' and pid <> all(%s)",
                    [pids],
                )

    with meanwhile(crowd):
        load.each("failed")


def _read_only(rig: Rig, load: Load) -> None:
    try:
        tell(rig.cluster, "alter system set default_transaction_read_only = on")
        load.each("failed")
        load.each("read")
    finally:
        tell(rig.cluster, "alter system reset default_transaction_read_only")


def _failover(rig: Rig, load: Load) -> None:
    lose_standby(rig, load)
    load.each("written", 2)
    fail_over(rig, load)


OUTAGES = {
    "server killed (-9)": Outage(_killed),
    "one backend killed (-9)": Outage(_backend_killed),
    "server restarted, fast": Outage(_restarted),
    "server restarted, immediate": Outage(_restarted_immediately),
    "server asleep": Outage(_asleep),
    "PgBouncer killed": Outage(_pooler_killed, ("pooler", "pooler")),
    "PgBouncer restarted": Outage(_pooler_restarted, ("pooler", "pooler")),
    "network cut": Outage(_cut, ("wire", "wire")),
    "network slow": Outage(_slow, ("wire", "wire")),
    "network silent": Outage(_silent, ("wire", "wire")),
    "too many connections": Outage(_crowded),
    "server read-only": Outage(_read_only),
    "disk full": Outage(fill, rig=small),
    "standby lost, then the server": Outage(_failover, ("wire", "hosts"), replicated, repeatable=False),
}
