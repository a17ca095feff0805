"""What goes over the wire: identities only as bound parameters, nothing prepared, one application's name."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlmodel import Session

from tests.clusters import Database
from tests.connection.conftest import MakeServed, make_user
from tests.connection.served import run
from tests.connection.test_identity_binding import libpq_of
from userscope.errors import DatabaseError
from userscope.identity import SealKey
from userscope.testing.proxy import Proxy


def _messages(sent: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Split what a client sent into messages: type and body."""
    while sent:
        length = int.from_bytes(sent[1:5])
        yield sent[:1], sent[5 : length + 1]
        sent = sent[length + 1 :]


@pytest.fixture
def home(database: Database) -> Database:
    """A database of its own, since seals are required of all its users at once."""
    return database


@pytest.fixture
def sealed(home: Database) -> SealKey:
    """A key that the database knows, and requires seals of."""
    key = SealKey.generate()
    inner, outer = key.pads()
    with home.superuser_connection() as connection:
        connection.execute("insert into app_private.seal_keys values (%s, %s, %s)", [key.id, inner, outer])
        connection.execute("update app_private.sealing set required = true")
    return key


def test_bound(make_served: MakeServed, proxy: Proxy, alice: UUID, sealed: SealKey) -> None:
    """The user's id and the seal travel as values of a Bind, where pg_stat_activity does not show them."""
    served = make_served(proxy.url, userscope_seal_key=sealed.text())
    with proxy.counting() as count:
        served.session(alice, lambda session: run(session, "select title from app.todos where title <> :t", t="x"))
        assert served.reader(alice, lambda session: run(session, "select count(*) from app.todos")) == [3]
    where = {kind for kind, body in _messages(count.sent) if str(alice).encode() in body or sealed.id.encode() in body}
    assert where == {b"B"}


def test_seal_is_new_each_time(make_served: MakeServed, proxy: Proxy, alice: UUID, sealed: SealKey) -> None:
    """Every transaction gets a seal of its own, so that a session may outlive the life of one."""
    served = make_served(proxy.url, userscope_seal_key=sealed.text())

    def work(session: Session) -> None:
        run(session, "select 1")
        session.commit()
        run(session, "select 2")

    with proxy.counting() as count:
        served.session(alice, work)
    binds = [body for kind, body in _messages(count.sent) if kind == b"B" and sealed.id.encode() in body]
    assert len(binds) == 2


def test_nothing_is_prepared(make_served: MakeServed, proxy: Proxy, home: Database) -> None:
    """No statement gets a name that a later borrower could meet, however often it is sent."""
    served = make_served(proxy.url)
    user = make_user(home)

    def work(session: Session) -> None:
        for _ in range(8):
            run(session, "select :x", x="1")
            session.connection().execute(text("insert into app.todos (title) values (:t)"), [{"t": "a"}, {"t": "b"}])

    with proxy.counting() as count:
        served.session(user, work)
    names = {body.partition(b"\0")[0] for kind, body in _messages(count.sent) if kind == b"P"}
    assert names == {b""}


def test_statement_timeout(make_served: MakeServed, alice: UUID) -> None:
    """The timeout of the settings is in force in every transaction, and gone from the connection afterwards."""
    served = make_served(database_statement_timeout="4321ms")
    ask = "select current_setting('statement_timeout')"
    assert served.reader(alice, lambda session: run(session, ask)) == ["4321ms"]
    libpq, asked = served.session(alice, lambda session: (libpq_of(session), run(session, ask)))
    assert asked == ["4321ms"]
    assert libpq.exec_(ask.encode()).get_value(0, 0) == b"0"


@pytest.mark.parametrize("opened", ["session", "reader"])
def test_one_command(make_served: MakeServed, alice: UUID, opened: str) -> None:
    """A statement is one command, the first of a transaction and a later one: nothing can be stacked on it."""
    served = make_served()

    def later(session: Session) -> None:
        run(session, "select 1")
        run(session, "select 2; delete from app.todos")

    for work in (lambda session: run(session, "select 2; delete from app.todos"), later):
        with pytest.raises(DatabaseError, match="cannot insert multiple commands"):
            getattr(served, opened)(alice, work)
    assert served.reader(alice, lambda session: run(session, "select count(*) from app.todos")) == [3]


def test_application_name(make_served: MakeServed, home: Database, alice: UUID) -> None:
    """An administrator sees whose connections these are; a URL may say so more precisely."""
    ask = "select current_setting('application_name')"
    url = home.url("service")
    named = type(url)(url.variable, {**url.params, "application_name": "billing"})
    assert make_served(url).reader(alice, lambda session: run(session, ask)) == ["userscope"]
    assert make_served(named).reader(alice, lambda session: run(session, ask)) == ["billing"]


def test_unknown_user_is_nobody_special(make_served: MakeServed) -> None:
    """An id without an account reads nothing, as somebody without todos does."""
    assert make_served().reader(uuid4(), lambda session: run(session, "select title from app.todos")) == []
