"""Nothing that one borrower leaves in a pooled connection, by accident or by injected SQL, reaches the next one."""

from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from tests.clusters import Database
from tests.connection.conftest import MakeServed
from tests.connection.served import run
from tests.connection.test_identity_binding import BOBS, libpq_of, titles
from userscope.errors import DatabaseError


@pytest.fixture
def home(any_shared: Database) -> Database:
    """Each version in turn."""
    return any_shared


HIJACKED = "select max(title) from app.todos"

POISON = {
    "a time zone": "set timezone = 'Asia/Tokyo'",
    "little memory": "set work_mem = '77kB'",
    "read-only transactions": "set session characteristics as transaction read only",
    "a search_path": "set search_path = pg_temp, app",
    "no statement timeout": "set statement_timeout = 0",
    "an identity": "select set_config('app.user_id', app.current_user_id()::text, false)",
    "a role": "set role app_user",
    "a prepared statement": f'prepare "_pg3_0" as {HIJACKED}',
    "psycopg's next prepared statement": f"do $$ begin execute 'prepare \"_pg3_1\" as {HIJACKED}'; end $$",
    "a cursor": f"declare planted cursor with hold for {HIJACKED}",
    "a lock": "select pg_advisory_lock(42)",
    "a subscription": "listen planted",
}
"""What alice leaves behind, one statement each."""

SEEN = {
    "a time zone": "select current_setting('timezone') = 'Asia/Tokyo'",
    "little memory": "select current_setting('work_mem') = '77kB'",
    "read-only transactions": "select current_setting('default_transaction_read_only') = 'on'",
    "a search_path": "select current_setting('search_path') = 'pg_temp, app'",
    "no statement timeout": "select current_setting('statement_timeout') = '0'",
    "an identity": "select current_setting('app.user_id', true) = '{alice}'",
    "a role": "select current_user <> session_user",
    "a prepared statement": "select exists (select from pg_prepared_statements where name = '_pg3_0')",
    "psycopg's next prepared statement": "select exists (select from pg_prepared_statements where name = '_pg3_1')",
    "a cursor": "select exists (select from pg_cursors where name = 'planted')",
    "a lock": "select exists (select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())",
    "a subscription": "select exists (select from pg_listening_channels())",
}
"""Whether it is still there."""


def _still_there(ask: Any, alice: UUID) -> set[str]:
    return {name for name, question in SEEN.items() if ask(question.format(alice=alice))}


def _behind_its_back(libpq: Any) -> Any:
    """Ask a connection of the pool without opening a transaction on it."""
    return lambda question: libpq.exec_(question.encode()).get_value(0, 0) == b"t"


@pytest.mark.parametrize("opened", ["session", "reader"])
def test_clean_slate(make_served: MakeServed, alice: UUID, bob: UUID, opened: str) -> None:
    """Every kind of state is really left in the connection, and gone when the next transaction begins."""
    served = make_served(database_pool_size=1)

    def plant(session: Session) -> Any:
        for statement in POISON.values():
            run(session, statement)
        return libpq_of(session)

    libpq = served.session(alice, plant)
    assert _still_there(_behind_its_back(libpq), alice) == set(POISON)  # each of them outlives its transaction

    def meet(session: Session) -> tuple[set[str], set[str], Any]:
        still_there = _still_there(lambda question: run(session, question)[0], alice)
        return still_there, titles(session), libpq_of(session)

    assert getattr(served, opened)(bob, meet) == (set(), BOBS, libpq)


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


def test_hijacked_statement(make_served: MakeServed, alice: UUID, bob: UUID) -> None:
    """A statement re-defined under the driver's names is never executed: statements have no names here."""
    served = make_served(database_pool_size=1)
    hijack = (
        "do $$ begin for i in 0 .. 20 loop "
        "execute format('prepare %I as select ''hijacked''', '_pg3_' || i); end loop; end $$"
    )
    libpq = served.session(alice, lambda session: [run(session, hijack), libpq_of(session)][1])
    assert _behind_its_back(libpq)("select count(*) = 21 from pg_prepared_statements")

    def work(session: Session) -> set[str]:
        return {title for _ in range(10) for title in run(session, "select title from app.todos")}

    assert served.session(bob, work) == BOBS


def test_within_a_session(make_served: MakeServed, alice: UUID) -> None:
    """Behind a pooler each transaction may meet another server connection, so each begins clean, in one session too."""
    served = make_served(database_pool_size=1)

    def work(session: Session) -> set[str]:
        for statement in POISON.values():
            run(session, statement)
        session.commit()
        return _still_there(lambda question: run(session, question)[0], alice)

    assert served.session(alice, work) == {"an identity"}  # alice's own, bound again
