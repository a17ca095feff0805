"""Identities and seals by each node that a client may enter by; keys and the requirement are one for all nodes."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.citus.rig import Distributed
from tests.clusters import Connection, Database
from userscope.admin import seals
from userscope.audit.run import audit
from userscope.identity import SealKey

_ROWS = "select title from app.todos"


@pytest.fixture(scope="module")
def people(distributed: Distributed) -> tuple[UUID, ...]:
    """Thirty users with two todos each, so that every worker has some."""
    users = tuple(uuid4() for _ in range(30))
    with distributed.coordinator.superuser_connection() as superuser, superuser.transaction():
        for user in users:
            superuser.execute("insert into app.users (id, name, email) values (%s, '', %s)", [user, f"{user}@x.io"])
            superuser.execute(
                "insert into app.todos (owner_id, title) values (%(user)s, 'a'), (%(user)s, 'b')", {"user": user}
            )
    return users


@pytest.fixture
def key(distributed: Distributed) -> Iterator[SealKey]:
    """A key that is required while the test lasts."""
    made, _ = seals.add(distributed.coordinator.url())
    seals.require(distributed.coordinator.url())
    yield made
    seals.relax(distributed.coordinator.url())
    seals.retire(distributed.coordinator.url(), made.id)


def rows(connection: Connection, user: object, seal: str = "", *, statement: str = _ROWS) -> int:
    with connection.transaction():
        connection.execute("select app.set_user_id(%s, %s)", [str(user), seal])
        return len(connection.execute(statement.encode()).fetchall())


def refused(database: Database, user: object, seal: str) -> str:
    with (
        database.connect("service") as service,
        pytest.raises(psycopg.errors.InvalidAuthorizationSpecification) as caught,
    ):
        rows(service, user, seal)
    return str(caught.value)


def test_a_seal_counts_on_every_node(distributed: Distributed, people: tuple[UUID, ...], key: SealKey) -> None:
    for node in distributed.all:
        with node.connect("service") as service:
            assert service.execute("select app.seal_required()").fetchone() == (True,)
            assert {rows(service, user, key.seal(str(user))) for user in people} == {2}


def test_what_is_no_seal_of_theirs(distributed: Distributed, people: tuple[UUID, ...], key: SealKey) -> None:
    alice, bob, *_ = people
    good = key.seal(str(alice))
    for node in distributed.all:
        assert "not sealed" in refused(node, alice, "")
        assert "does not fit" in refused(node, bob, good)
        assert "malformed" in refused(node, alice, "nonsense")
        assert "no active key" in refused(node, alice, "x" + good)
        assert "expired" in refused(node, alice, f"{key.id}.1.{'0' * 64}")


def test_rotation_and_relaxing_hold_everywhere_at_once(
    distributed: Distributed, people: tuple[UUID, ...], key: SealKey
) -> None:
    admin, (alice, *_) = distributed.coordinator.url(), people
    other, _ = seals.add(admin)
    connections = [node.connect("service") for node in distributed.all]
    try:
        for connection in connections:
            assert rows(connection, alice, key.seal(str(alice))) == rows(connection, alice, other.seal(str(alice))) == 2
        seals.retire(admin, other.id)
        for connection in connections:
            assert rows(connection, alice, key.seal(str(alice))) == 2
            with pytest.raises(psycopg.errors.InvalidAuthorizationSpecification, match="no active key"):
                rows(connection, alice, other.seal(str(alice)))
        seals.relax(admin)
        assert [rows(connection, alice) for connection in connections] == [2] * 3
        seals.require(admin)
        for connection in connections:
            with pytest.raises(psycopg.errors.InvalidAuthorizationSpecification, match="not sealed"):
                rows(connection, alice)
    finally:
        for connection in connections:
            connection.close()


def test_without_the_row_nobody_counts(distributed: Distributed, people: tuple[UUID, ...], key: SealKey) -> None:
    """The control is that a seal still does."""
    alice = people[0]
    distributed.execute("delete from app_private.sealing")
    for node in distributed.all:
        refused(node, alice, "")
        with node.connect("service") as service:
            assert rows(service, alice, key.seal(str(alice))) == 2


def test_a_forged_setting_reaches_nothing(distributed: Distributed, people: tuple[UUID, ...], key: SealKey) -> None:
    """Neither in the coordinator's session, nor where the hint alone is changed, nor by what goes to workers whole."""
    alice, bob, *_ = people
    refused: set[str | None] = set()
    for node in distributed.all:
        for forgery in (
            f"set local app.user_id = '{bob}'",
            f"select set_config('app.user_id', '{bob}', true)",
            f"set local app.user_id = '{bob}'; set local app.user_seal = ''",
            f"set app.user_id = '{bob}'",
            "set local role app_user; reset app.user_seal",
        ):
            with node.connect("service") as service:
                service.execute("begin")
                service.execute("select app.set_user_id(%s, %s)", [str(alice), key.seal(str(alice))])
                found: set[object] = set()
                try:
                    service.execute(forgery.encode())
                    found = {owner for (owner,) in service.execute("select owner_id from app.todos").fetchall()}
                except psycopg.Error as error:
                    refused.add(error.sqlstate)
                assert found <= {alice}, forgery
                service.execute("rollback")
    assert refused == {"28000", "08006"}, "no seal for it, or workers take nobody by the name of a role"


def test_what_one_leaves_on_a_worker_does_not_meet_the_next(
    distributed: Distributed, people: tuple[UUID, ...], key: SealKey
) -> None:
    """A string of several statements goes whole to workers, whose sessions are the login's: an identity resets them."""
    alice, bob, *_ = people
    for poison in ("set timezone = 'Asia/Tokyo'", f"set app.user_id = '{alice}'", "set search_path = pg_temp"):
        with distributed.coordinator.connect("service") as service:
            service.execute("select app.set_user_id(%s, %s)", [str(alice), key.seal(str(alice))])
            with service.transaction():
                service.execute("select app.set_user_id(%s, %s)", [str(alice), key.seal(str(alice))])
                try:
                    with service.transaction():
                        service.execute(f"set local statement_timeout = 0; {poison}".encode())
                except psycopg.Error:
                    pass
                service.execute(_ROWS.encode())
            service.execute("discard all")
            with service.transaction():
                service.execute("select app.set_user_id(%s, %s)", [str(bob), key.seal(str(bob))])
                found = service.execute("select owner_id, current_setting('timezone') from app.todos").fetchall()
            assert found == [(bob, "UTC")] * 2


@pytest.mark.usefixtures("key")
def test_a_row_that_came_past_its_trigger(distributed: Distributed, people: tuple[UUID, ...]) -> None:
    """It changes nothing on any node, as workers have none to read: what it says and what is so, the audit compares."""
    admin, (alice, *_) = distributed.coordinator.url(), people

    def past(required: bool) -> None:
        distributed.execute("alter table app_private.sealing disable trigger decide")
        distributed.execute("update app_private.sealing set required = %s", [required])
        distributed.execute("alter table app_private.sealing enable always trigger decide")

    def named() -> list[tuple[str, ...]]:
        """What the audit says of sealing, and its cure."""
        found = [each for each in audit(admin).findings if each.rule == "sealing"]
        for each in found:
            distributed.execute(each.cure.partition(",")[0])
        return [(each.level, each.object, each.finding, each.detail) for each in found]

    def what_is(body: str) -> list[tuple[str, ...]]:
        told = f"app.current_user_key() has the body of a database that {body}."
        return [("error", "app_private.sealing", "what it says is not in effect", told)]

    def unsealed() -> list[int | str]:
        """What somebody without a seal reaches by each node."""
        return [refusal_or_rows(node, alice) for node in distributed.all]

    assert (named(), unsealed()) == ([], ["28000"] * 3)
    past(False)
    assert (unsealed(), named()) == (["28000"] * 3, what_is("requires seals"))
    assert (named(), unsealed()) == ([], [2] * 3)
    past(True)
    assert (unsealed(), named()) == ([2] * 3, what_is("accepts identities without a seal"))
    assert (named(), unsealed()) == ([], ["28000"] * 3)


def refusal_or_rows(database: Database, user: object) -> int | str:
    with database.connect("service") as service:
        try:
            return rows(service, user)
        except psycopg.Error as error:
            return str(error.sqlstate)
