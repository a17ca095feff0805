"""A service on Citus: its users reach their own rows in as many round trips as on one node, and are told the same."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session, select

from tests.citus.rig import Distributed
from tests.connection.conftest import make_user, settings_for
from tests.connection.served import AsyncServed, Served, SyncServed, run
from tests.connection.test_round_trips import READERS, SESSIONS, _counted
from tests.connection.test_sqlstate import ANSWERS
from tests.pooling.pgbouncer import pgbouncer
from tests.silence import SilentProxy
from userscope.admin import seals
from userscope.connection.scope import Isolation
from userscope.database import Database
from userscope.errors import ConfigurationError, DatabaseError, InvalidValue, NotPermitted, SealRejected, Unavailable
from userscope.identity import SealKey
from userscope.models import Account, Todo
from userscope.postgres.url import ConnectionURL

type Make = Callable[..., Served]


@pytest.fixture(params=[SyncServed, AsyncServed], ids=["sync", "async"])
def make(request: pytest.FixtureRequest, ready: Distributed) -> Iterator[Make]:
    """Makes a service on the coordinator, by either class."""
    with ExitStack() as stack:

        def made(url: ConnectionURL | None = None, **values: object) -> Served:
            served: Served = request.param(settings_for(url or ready.coordinator.url("service"), **values))
            stack.callback(served.close)
            return served

        yield made


def whose(session: Session) -> list[Any]:
    """The owners of all todos that can be read, and whose account is shown."""
    return [*{todo.owner_id for todo in session.exec(select(Todo))}, *(one.id for one in session.exec(select(Account)))]


def test_own_rows(make: Make, ready: Distributed) -> None:
    """Twenty people, on all shards, read and change their own rows; each has what was theirs, and not more."""
    people = [make_user(ready.coordinator, ("one", "two")) for _ in range(20)]
    placed = ready.execute(
        "select count(distinct get_shard_id_for_distribution_column('app.todos', id)) from unnest(%s::uuid[]) id",
        [people],
    )
    assert placed[0][0] > 4
    served = make()
    for person in people:
        assert served.reader(person, whose) == [person, person]
        served.session(person, lambda session: session.add(Todo(title="three")))
        served.session(person, lambda session: run(session, "delete from app.todos where title = 'one'"))
        served.session(person, lambda session: run(session, "update app.todos set completed = true"))
    kept = "select owner_id, title, completed from app.todos where owner_id = any (%s)"
    assert set(ready.execute(kept, [people])) == {
        (person, title, True) for person in people for title in ("two", "three")
    }
    assert served.reader(UUID(int=0), whose) == []


@pytest.mark.parametrize(("opened", "cases"), [("reader", READERS), ("session", SESSIONS)], ids=["reader", "session"])
def test_round_trips(make: Make, ready: Distributed, opened: str, cases: dict[str, Any]) -> None:
    """Each takes as many as on one node: one for a reader's statement, though it is a block here."""
    with SilentProxy(ready.coordinator.url("service")) as proxy:
        served = make(proxy.url, database_pool_size=1)
        served.reader(make_user(ready.coordinator), lambda session: run(session, "select 1"))
        counted = _counted(served, proxy, ready.coordinator, opened, cases)
    assert counted == {name: trips for name, (trips, _) in cases.items()}


OTHERWISE = {
    "another's row": (NotPermitted, "42501", 'new row violates row-level security policy for table "todos"'),
    "no identity": (InvalidValue, "22004", "null value not allowed"),
    "an upsert of one": (
        DatabaseError,
        "0A000",
        "functions used in the DO UPDATE SET clause of INSERTs on distributed tables must be marked IMMUTABLE",
    ),
}
"""What is refused there for another reason than on one node: by a policy on the shard, or by Citus."""


def test_answers(make: Make, ready: Distributed) -> None:
    """What PostgreSQL answers is told in the words of one node: no shard's number, and the constraint's sentence."""
    served, alice = make(database_statement_timeout="1s"), make_user(ready.coordinator)

    def told(name: str) -> tuple[object, ...]:
        def work(session: Session) -> None:
            ANSWERS[name].work(session)
            session.flush()

        with pytest.raises(DatabaseError) as raised:
            served.session(alice, work)
        error = raised.value
        return type(error), error.sqlstate, error.message, error.detail

    found = {name: told(name) for name in ANSWERS}
    assert {name: found.pop(name)[:3] for name in OTHERWISE} == OTHERWISE
    assert found == {name: answer[:4] for name, answer in ANSWERS.items() if name not in OTHERWISE}


def test_a_reader_only_reads(make: Make, ready: Distributed) -> None:
    """A reader writes nothing, and is told what does; its next statement is served."""
    served, alice = make(database_pool_size=1), make_user(ready.coordinator, ("one",))
    writes = ("delete from app.todos", "update app.todos set title = 'x'", "insert into app.todos (title) values ('x')")
    for statement in writes:
        with pytest.raises(NotPermitted, match="a reader cannot write"):
            served.reader(alice, partial(run, statement=statement))
    assert served.reader(alice, lambda session: run(session, "select title from app.todos")) == ["one"]


def test_in_doubt(make: Make, ready: Distributed) -> None:
    """A COMMIT that a worker did not answer is Unavailable, and what became of it is not claimed to be known."""
    served, alice = make(), make_user(ready.coordinator)

    def lose(session: Session) -> None:
        session.add(Todo(title="lost"))
        session.flush()
        for worker in ready.workers:
            with worker.superuser_connection() as superuser:
                superuser.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where datname = current_database() and application_name like 'citus_internal%' "
                    "and pid <> pg_backend_pid()"
                )

    with pytest.raises(Unavailable) as raised:
        served.session(alice, lose)
    assert (raised.value.sqlstate, raised.value.hint) == (
        "08007",
        "Whether the last statement ran is not known; what was not committed is gone.",
    )
    assert "could not commit transaction for shard" in raised.value.message
    assert served.session(alice, lambda session: run(session, "select count(*) from app.todos")) == [0]


def test_sealed(make: Make, ready: Distributed) -> None:
    """Keys are made, required and retired on the coordinator, and count on every shard from then on."""
    admin = ready.coordinator.url()
    people = [make_user(ready.coordinator, ("one",)) for _ in range(12)]
    (key, _), (other, _) = seals.add(admin), seals.add(admin)
    try:
        seals.require(admin)
        sealed, next_one = (make(userscope_seal_key=one.text()) for one in (key, other))
        for person in people:
            assert sealed.reader(person, whose) == next_one.reader(person, whose) == [person, person]
        with pytest.raises(SealRejected):
            make(userscope_seal_key=SealKey.generate().text()).reader(people[0], whose)
        seals.retire(admin, key.id)
        for person in people:
            with pytest.raises(SealRejected, match="names no active key"):
                sealed.reader(person, whose)
            assert next_one.reader(person, whose) == [person, person]
    finally:
        seals.relax(admin)


def test_on_a_worker(make: Make, ready: Distributed) -> None:
    """Connected to a worker, a service of either kind of login is told where to go, and sends nothing else."""
    alice = make_user(ready.coordinator, ("one",))
    for worker in ready.workers:
        served = make(worker.url("service"))
        for work in (served.reader, served.session):
            with pytest.raises(ConfigurationError) as raised:
                work(alice, whose)
            assert str(raised.value).startswith("this node of Citus is a worker\n")
            assert raised.value.hint == "Name the coordinator's host in the URL."
        with (
            Database(settings_for(worker.url("auth"))) as provider,
            pytest.raises(ConfigurationError, match="is a worker"),
            provider.login() as session,
        ):
            run(session, "select 1")
    assert make().reader(alice, whose) == [alice, alice]


def test_pooled(make: Make, ready: Distributed) -> None:
    """Behind a pooler with one connection to the coordinator, which people take in turns, each meets their own rows."""
    people = [make_user(ready.coordinator, ("one",)) for _ in range(12)]
    with pgbouncer(ready.coordinator, size=1) as pooler:
        services = [make(pooler.url), make(pooler.url)]
        for served in services:
            for person in people:
                served.session(person, lambda session: session.add(Todo(title="two")))
                assert served.reader(person, whose) == [person, person]
    kept = "select count(*), count(distinct owner_id) from app.todos where owner_id = any (%s)"
    assert ready.execute(kept, [people]) == [(36, 12)]


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_isolation(make: Make, ready: Distributed, level: Isolation) -> None:
    """The isolation that is asked for holds on the shard as well."""
    served, alice = make(), make_user(ready.coordinator, ("one",))
    asked = "select current_setting('transaction_isolation') from app.todos"
    assert served.session(alice, lambda session: run(session, asked), isolation=level) == [level]


REFUSED = {
    "insert into app.todos (title) select title from app.todos": "0A000",
    "merge into app.todos using (values ('x')) as new (title) on app.todos.title = new.title "
    "when not matched then insert (title) values ('x')": "XX000",
    "update app.todos set owner_id = gen_random_uuid()": "0A000",
    "insert into app.todos (title) values ('x') returning now()": "0A000",
    "with made as (insert into app.todos (title) values ('x') returning id) select id from made": "XX000",
}
"""What docs/citus.md says is refused, and by which SQLSTATE."""


@pytest.mark.parametrize("statement", REFUSED)
def test_refused(make: Make, ready: Distributed, statement: str) -> None:
    """It changes nothing, and is an error."""
    served, alice = make(), make_user(ready.coordinator, ("one",))
    with pytest.raises(DatabaseError) as raised:
        served.session(alice, lambda session: run(session, statement))
    assert raised.value.sqlstate == REFUSED[statement]
    assert served.reader(alice, lambda session: run(session, "select title from app.todos")) == ["one"]
