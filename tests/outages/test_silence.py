"""Where nothing answers any more, waiting ends: by the server's own timeout and the pool's together, on every road."""

import math
from collections.abc import Callable
from contextlib import closing
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlmodel import Session

from tests.connection.conftest import MakeServed
from tests.connection.served import run
from tests.silence import SilentProxy
from userscope.connection.scope import Scope
from userscope.errors import Unavailable
from userscope.postgres import connect

_INSERT = text("insert into app.todos (title) values (:title)")
_TITLES = text("select title from app.todos")


def _stream(session: Session) -> None:
    session.connection().execute(_TITLES, execution_options={"stream_results": True}).all()


ROADS: dict[str, Callable[[Session], object]] = {
    "a statement": lambda session: run(session, "select 1"),
    "many": lambda session: session.connection().execute(_INSERT, [{"title": "a"}, {"title": "b"}]),
    "a stream": _stream,
    "a commit": lambda session: session.commit(),
    "a rollback": lambda session: session.rollback(),
}


@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_silence(make_served: MakeServed, proxy: SilentProxy, alice: UUID, first: bool) -> None:
    """Each road ends in Unavailable while all is silent still; afterwards the same service serves."""
    hurried = {"database_statement_timeout": "500ms", "database_pool_timeout": 0.5, "database_pool_size": 1}
    served = make_served(proxy.url, **hurried)
    for name, road in ROADS.items():
        if first and name in ("a commit", "a rollback"):
            continue  # they send nothing where nothing was sent before

        def work(session: Session, name: str = name, road: Callable[[Session], object] = road) -> None:
            if not first:
                run(session, "select 1")
            with proxy.silence():
                road(session)
                pytest.fail(f"{name} heard something")

        assert served.session(alice, lambda session: run(session, "select 1")) == [1]
        with pytest.raises(Unavailable, match="the server does not answer"):
            served.session(alice, work)
        assert served.pool.checkedout() == 0
    assert served.reader(alice, lambda session: run(session, "select 1")) == [1]


def test_silence_at_the_door(make_served: MakeServed, proxy: SilentProxy, alice: UUID) -> None:
    """Connecting ends as well."""
    served = make_served(proxy.url, database_pool_timeout=0.2)
    with proxy.silence(), pytest.raises(Unavailable, match="does not answer"):
        served.reader(alice, lambda session: run(session, "select 1"))
    assert served.reader(alice, lambda session: run(session, "select 1")) == [1]


def test_psycopg_waits(make_served: MakeServed, proxy: SilentProxy, alice: UUID) -> None:
    """The control: psycopg alone still waits when two of ours have given up one after the other."""
    hurried = {"database_statement_timeout": "500ms", "database_pool_timeout": 0.5, "database_pool_size": 2}
    served = make_served(proxy.url, **hurried)
    conninfo = proxy.url.conninfo()
    with closing(psycopg.connect(conninfo, autocommit=True)) as plain:
        plain.execute("set statement_timeout = '500ms'")
        with proxy.silence():
            plain.pgconn.send_query(b"select 1")
            for _ in range(2):
                with pytest.raises(Unavailable):
                    served.reader(alice, lambda session: run(session, "select 1"))
            assert plain.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE
            plain.pgconn.consume_input()
            assert plain.pgconn.is_busy()


def test_kernel_knows(make_served: MakeServed, proxy: SilentProxy) -> None:
    """The kernel is told when to give up a TCP connection, unless the URL says so."""
    connector = make_served(proxy.url).db._connector  # type: ignore[attr-defined]  # both kinds have one
    assert psycopg.conninfo.conninfo_to_dict(connect.conninfo(connector.url)).items() >= {
        ("tcp_user_timeout", "30000"),
        ("keepalives_idle", "30"),
    }


PATIENCE = {"250": 0.25, "500ms": 0.5, "2s": 2, "3 min": 180, "1h": 3600, "1d": 86_400, "0": math.inf, "0s": math.inf}


def test_patience() -> None:
    """A client gives the server the time that the server gives itself, in whatever unit that is written."""
    waits = {text: Scope.of(uuid4(), statement_timeout=text).patience for text in PATIENCE}
    assert waits == pytest.approx(PATIENCE)
