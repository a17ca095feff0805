"""A statement has as many values as the protocol takes, or is refused before it is sent."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

import pytest
from sqlmodel import Session

from tests.connection.conftest import MakeServed
from tests.connection.served import Served, run
from tests.versions import first_of
from userscope.errors import TooManyParameters
from userscope.testing.proxy import Proxy

TOO_MANY = tuple(map(str, range(65536)))
CHOSEN = f"select title from app.todos where title in ({', '.join(['%s'] * len(TOO_MANY))})"


def _choose(session: Session, **options: object) -> object:
    return session.connection().exec_driver_sql(CHOSEN, TOO_MANY, execution_options=options).all()


def _repeat(session: Session) -> object:
    return session.connection().exec_driver_sql(f"delete from app.todos using ({CHOSEN}) as chosen", [TOO_MANY] * 2)


@pytest.mark.parametrize(
    ("opened", "work"),
    first_of(
        ("reader", _choose),
        ("session", _choose),
        ("session", partial(_choose, stream_results=True)),
        ("session", _repeat),
        ("session", lambda session: [run(session, "select 1"), _choose(session)]),
    ),
    ids=["reader", "session", "stream", "executemany", "later"],
)
def test_too_many_parameters(
    make_served: MakeServed, proxy: Proxy, alice: UUID, opened: str, work: Callable[[Session], object]
) -> None:
    """More values than the protocol takes are a mistake of their own, at once: no outage, no new connection."""
    served = make_served(proxy.url, database_pool_size=1)
    served.reader(alice, lambda session: run(session, "select 1"))
    with proxy.counting() as count, pytest.raises(TooManyParameters, match="65536 parameters") as raised:
        getattr(served, opened)(alice, work)
    assert ("any(:ids)" in (raised.value.hint or ""), raised.value.sqlstate) == (True, None)
    assert served.session(alice, lambda session: run(session, "select count(*) from app.todos")) == [3]
    assert count.connections == 0


def test_as_many_as_fit(served: Served, alice: UUID) -> None:
    """One value less is sent; and as one array any number is."""
    fits = CHOSEN.replace("%s, ", "", 1)
    assert served.reader(alice, lambda s: s.connection().exec_driver_sql(fits, TOO_MANY[1:]).all()) == []
    assert (
        served.reader(alice, lambda s: run(s, "select title from app.todos where title = any(:ids)", ids=[*TOO_MANY]))
        == []
    )
