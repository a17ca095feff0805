"""What the clean slate of each transaction covers beyond the plants of tests/pooling, and what waits for it."""

from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from tests.clusters import Database, first_of
from tests.connection.conftest import MakeServed
from tests.connection.served import run
from tests.connection.test_identity_binding import libpq_of, titles
from userscope.errors import DatabaseError


@pytest.fixture
def home(any_shared: Database) -> Database:
    """Each version in turn."""
    return any_shared


def test_random(make_served: MakeServed, alice: UUID, bob: UUID) -> None:
    """What random() gives is nobody's choice and tells nobody what it gives next: each transaction has its own seed."""
    served = make_served(database_pool_size=1)
    ask = "select array[random(), random()]::text"

    def plant(session: Session) -> Any:
        run(session, "select setseed(0.42)")
        return libpq_of(session)

    chosen = served.session(alice, lambda session: [plant(session), *run(session, ask)][1])
    libpq = served.session(alice, plant)
    libpq.exec_(b"discard all")
    assert libpq.exec_(ask.encode()).get_value(0, 0).decode() == chosen  # the control: DISCARD ALL leaves it
    for opened in (served.session, served.reader):
        assert served.session(alice, plant) is libpq
        assert opened(bob, lambda session: (libpq_of(session), run(session, ask) == [chosen])) == (libpq, False)


def test_idle_lock(make_served: MakeServed, home: Database, alice: UUID) -> None:
    """A lock of the session's that injected SQL took stays on the idle connection, and goes when that is used again."""
    served = make_served(database_pool_size=1)
    served.session(alice, lambda session: run(session, "select pg_advisory_lock(75474063)"))
    with home.superuser_connection() as admin:
        ask = "select pg_try_advisory_lock(75474063)"
        assert admin.execute(ask).fetchone() == (False,)  # migrate names it: tests/migrations/test_racing.py
        served.reader(alice, titles)
        assert admin.execute(ask).fetchone() == (True,)


@pytest.mark.parametrize("make_served", first_of("make_async", "make_sync"), ids=["async", "sync"], indirect=True)
def test_every_setting(make_served: MakeServed, bob: UUID, alice: UUID) -> None:
    """Whatever PostgreSQL lets a session set, by name, is as the server has it when the next transaction begins."""
    served = make_served(database_pool_size=1)
    settable = (
        "select name, case when name like '%timeout%' then array['1234567'] when vartype = 'enum' then enumvals"
        " when vartype = 'bool' then array['on', 'off'] when vartype = 'string' then array['UTC', 'C', 'german', 'app']"
        " else array[min_val, max_val, '1', '2', '0.5'] end"
        " from pg_settings where context = 'user' and name !~ '^transaction_(is|read|def)'"
        " order by name = 'exit_on_error'"
    )
    every = "select name, setting from pg_settings where context = 'user'"

    def change(session: Session) -> set[str]:
        before = dict(run(session, every))
        for name, candidates in run(session, settable):
            for value in candidates:
                with suppress(DatabaseError), session.begin_nested():
                    run(session, "select set_config(:name, :value, false)", name=name, value=value)
                    if run(session, "select setting from pg_settings where name = :name", name=name) != [before[name]]:
                        break
        return {name for name, setting in run(session, every) if setting != before[name]}

    fresh = served.session(bob, lambda session: (dict(run(session, every)), libpq_of(session)))
    assert len(served.session(alice, change)) > 100
    assert served.session(bob, lambda session: (dict(run(session, every)), libpq_of(session))) == fresh
