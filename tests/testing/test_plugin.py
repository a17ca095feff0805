"""What adopters get: a database for each test, users in it, sessions that act for them, and controls."""

import pytest
from sqlmodel import select

from userscope import Todo
from userscope.testing import Sandbox, denied


def test_two_users(userscope: Sandbox) -> None:
    """The example of docs/testing.md: each sees their own, and both are there."""
    alice, bob = userscope.user("Alice"), userscope.user("Bob")
    with userscope.acting_as(alice) as session:
        session.add(Todo(title="alice's"))
    with userscope.acting_as(bob) as session:
        session.add(Todo(title="bob's"))
    with userscope.reading_as(alice) as session:
        assert set(session.exec(select(Todo.title))) == {"alice's"}
    with userscope.admin() as connection:
        assert set(connection.execute("select title from app.todos")) == {("alice's",), ("bob's",)}


@pytest.mark.parametrize("run", [1, 2])
def test_own_database(userscope: Sandbox, run: int) -> None:
    """What one test commits the next one does not find, though both use the same address."""
    user = userscope.user(email="same@example.com")
    with userscope.acting_as(user) as session:
        session.add(Todo(title=f"run {run}"))
    with userscope.admin() as connection:
        assert connection.execute("select title from app.todos").fetchall() == [(f"run {run}",)]


def test_denied(userscope: Sandbox) -> None:
    """A refusal is expected in PostgreSQL's words; anything else is a failure."""
    alice, bob = userscope.user(), userscope.user()
    with denied("permission denied for table todos"), userscope.acting_as(alice) as session:
        session.add(Todo(title="planted", owner_id=bob.id))
    with pytest.raises(pytest.fail.Exception), denied("permission denied for table todos"):
        pass
    other_words = denied("permission denied for table users")
    with pytest.raises(AssertionError), other_words, userscope.acting_as(alice) as session:
        session.add(Todo(title="planted", owner_id=bob.id))


def test_counting(userscope: Sandbox) -> None:
    """Round trips are counted from the first statement on."""
    alice = userscope.user()
    with userscope.counting(alice) as (database, count):
        with database.reader(alice.id) as session:
            session.exec(select(Todo)).all()
        assert count.trips == 1
        with database.session(alice.id) as session:
            session.add_all([Todo(title=str(number)) for number in range(50)])
        assert count.trips == 3


def test_temporary_objects(userscope: Sandbox) -> None:
    """A clone's own privileges are its template's: nobody plants a temporary function in it."""
    with userscope.admin() as connection:
        asked = connection.execute(
            "select has_database_privilege('app_user', current_database(), 'temporary')"
        ).fetchone()
    assert asked == (False,)
