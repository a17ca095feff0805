"""Builds that are broken on purpose: the load under which ours are right finds each of them out."""

import itertools
from contextlib import closing, suppress
from functools import partial
from typing import Any

import psycopg
import pytest

from tests.clusters import Cluster
from tests.outages import load as load_module
from tests.outages.load import CONNECTIONS, Load, Request
from tests.outages.outages import OUTAGES, Outage, carry_out
from tests.outages.rig import Rig, kill, lasting, ordinary
from tests.soak.broken import bind_once
from tests.soak.truth import Truth
from userscope.connection.base import ScopedConnectionBase
from userscope.connection.cursor import ScopedConnection, ScopedCursor
from userscope.connection.engine import Connector
from userscope.errors import NotPermitted


def _work(_: Rig, load: Load) -> None:
    load.each("written", 3)


@pytest.mark.breadth
def test_silent_retry(own_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that sends a transaction again where its COMMIT failed does some of them twice."""
    connect, commit, execute = Connector.make, ScopedConnection.commit, ScopedCursor.execute
    commits = itertools.count(1)
    connectors: list[Connector] = []

    def connect_and_remember(self: Connector, *given: Any, **named: Any) -> ScopedConnection:
        connectors.append(self)
        return connect(self, *given, **named)

    def execute_and_remember(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        statements: list[Any] = vars(self.connection).setdefault("statements", [])
        if self.connection.idle:
            statements.clear()
        statements.append((query, params))
        return execute(self, query, params, **options)

    def commit_and_retry(self: Any) -> None:
        wrote = not self.idle  # a reader has nothing to commit
        commit(self)
        if wrote and next(commits) % 4 == 0:  # its answer was lost, so for all it knows nothing was committed
            self.pgconn.finish()
            with closing(connectors[-1].connect()) as again:
                again.scope = self.scope
                for query, params in list(self.statements):
                    again.execute(query, params)
                commit(again)

    monkeypatch.setattr(Connector, "make", connect_and_remember)
    monkeypatch.setattr(ScopedCursor, "execute", execute_and_remember)
    monkeypatch.setattr(ScopedConnection, "commit", commit_and_retry)
    faults = carry_out(Outage(_work, ("wire", "wire")), own_cluster).truth.faults
    assert any(fault.endswith("is there 2 times") or "Conflict" in fault for fault in faults)


@pytest.mark.breadth
def test_early_acknowledgement(own_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that does not wait for the answer to a COMMIT acknowledges what is lost."""
    commit = ScopedConnection.commit
    commits = itertools.count(1)

    def commit_and_hope(self: ScopedConnection) -> None:
        if not self.idle and next(commits) % 4 == 0:  # a reader has nothing to lose
            self.pgconn.finish()  # the wire is cut before it is sent
        with suppress(psycopg.OperationalError):
            commit(self)

    monkeypatch.setattr(ScopedConnection, "commit", commit_and_hope)
    faults = carry_out(Outage(_work, ("wire", "wire")), own_cluster).truth.faults
    assert any(fault.endswith("was acknowledged and is lost") for fault in faults)


@pytest.mark.breadth
def test_server_that_acknowledges_early() -> None:
    """So does a server that is told to acknowledge before it has written."""

    def lost(rig: Rig, load: Load) -> bool:
        before = {title for user in map(str, rig.town.people) for title in load.truth.acknowledged(user)}
        kill(rig.server)
        rig.server.start()
        with rig.superuser() as superuser:
            return not before <= {title for (title,) in superuser.execute("select title from app.todos")}

    def strike(rig: Rig, load: Load) -> None:
        with rig.superuser() as superuser:
            superuser.execute("checkpoint")  # the town itself is to last
        for _ in range(5):  # it may have written everything just before it died
            load.each("written", 2)
            if lost(rig, load):
                return

    with lasting({"synchronous_commit": "off", "wal_writer_delay": "10s"}) as careless:
        faults = carry_out(Outage(strike, ("wire", "wire")), careless).truth.faults
    assert any(fault.endswith("was acknowledged and is lost") for fault in faults)


def test_identity_of_the_connection(own_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that binds an identity once a session shows and writes rows of others."""
    bind_once(monkeypatch)

    def strike(_: Rig, load: Load) -> None:
        load.until(lambda: any("rows of others" in fault for fault in load.truth.faults), "a row of another's")

    few = partial(ordinary, users=CONNECTIONS)
    faults = carry_out(Outage(strike, rig=few), own_cluster).truth.faults
    assert any("rows of others" in fault for fault in faults)
    assert any(" belongs to " in fault for fault in faults)


@pytest.mark.breadth
def test_endless_wait(own_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that waits for an answer for ever is told apart from one that is slow."""
    monkeypatch.setattr(ScopedConnectionBase, "_bounded", lambda _, work: work)

    def strike(rig: Rig, load: Load) -> None:
        with monkeypatch.context() as impatient:
            impatient.setattr(load_module, "PATIENCE", 5)
            OUTAGES["network silent"].strike(rig, load)

    with pytest.raises(AssertionError, match="never came to be failed"):
        carry_out(Outage(strike, ("wire", "wire")), own_cluster)


def test_another_error() -> None:
    """A failure of any other class than Unavailable is a fault."""
    truth = Truth()
    Request(truth, "somebody", "write", client_id=True).failed(NotPermitted("not now"))
    assert truth.faults == ["a request failed with NotPermitted: not now"]
