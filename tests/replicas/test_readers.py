"""Readers go to the standby in one round trip; after one's own write nothing older is ever shown."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from tests.connection.served import Served, run, whoami
from tests.processes import eventually
from tests.replicas.conftest import Serve, Wires
from tests.replication import Pair
from userscope.errors import InvalidPosition, NotPermitted
from userscope.models import Todo

WHERE = "select pg_is_in_recovery()"


def titles(session: Session) -> set[str]:
    """What the session's user can see."""
    return set(session.exec(select(Todo.title)).all())


def add(served: Served, user: UUID, title: str) -> str:
    """Write a todo; return the position."""

    def work(session: Session) -> Session:
        session.add(Todo(title=title))
        return session

    position: str | None = served.session(user, work).info["position"]
    assert position
    return position


def test_standby(serve: Serve, wires: Wires, alice: UUID, bob: UUID) -> None:
    """A reader's statement is one trip, and the standby's; it shows the user's own rows, as the primary does."""
    served = serve()
    served.reader(alice, titles)
    with wires.standby.counting() as there, wires.primary.counting() as here:
        assert served.reader(alice, titles) == {"alice 1", "alice 2", "alice 3"}
        assert served.reader(bob, titles) == {"bob 1", "bob 2"}
        assert served.reader(alice, lambda session: run(session, WHERE)) == [True]
    assert (there.trips, here.trips) == (3, 0)
    assert served.session(alice, lambda session: run(session, WHERE)) == [False]


def test_every_road(serve: Serve, wires: Wires, alice: UUID) -> None:
    """Objects, keys and plain SQL are read there, and a kept connection as well; nobody writes there."""
    served = serve()

    def work(session: Session) -> None:
        todo = session.exec(select(Todo)).first()
        assert todo
        assert session.get(Todo, uuid4()) is None
        session.refresh(todo)
        assert session.connection().exec_driver_sql(WHERE).scalar_one() is True
        assert session.connection().execute(text(WHERE)).scalar_one() is True
        assert whoami(session) == alice

    served.reader(alice, work)
    with wires.primary.counting() as here:
        served.reader(alice, work)
        with pytest.raises(NotPermitted, match="read-only"):
            served.reader(alice, lambda session: run(session, "delete from app.todos"))
    assert here.trips == 0


def test_own_writes(serve: Serve, wires: Wires, pair: Pair, alice: UUID) -> None:
    """A session's position costs no trip; after it a reader takes one trip where the standby is as far, else two."""
    served = serve()
    served.reader(alice, titles)
    add(served, alice, "first")
    with wires.primary.counting() as writing:
        position = add(served, alice, "new")
    assert writing.trips == 2
    pair.catch_up()
    with wires.standby.counting() as there, wires.primary.counting() as here:
        assert "new" in served.reader(alice, titles, after=position)
    assert (there.trips, here.trips) == (1, 0)
    pair.pause()
    try:
        position = add(served, alice, "newer")
        with wires.standby.counting() as there, wires.primary.counting() as here:
            assert "newer" in served.reader(alice, titles, after=position)
        assert (there.trips, here.trips) == (1, 1)
        # It is not there: who does not ask for it sees what was before.
        assert "newer" not in served.reader(alice, titles)
    finally:
        pair.resume()
    with wires.primary.counting() as here:
        assert "newer" in served.reader(alice, titles, after=position)
    assert here.trips == 0


def test_never_older(serve: Serve, wires: Wires, pair: Pair, alice: UUID) -> None:
    """A reader that has left for the primary stays there: nothing that it shows later is older."""
    served = serve()
    pair.pause()
    try:
        position = add(served, alice, "late")

        def work(session: Session) -> None:
            todos = session.exec(select(Todo)).all()
            assert "late" in {todo.title for todo in todos}
            kept = session.connection()
            with wires.standby.counting() as there:
                assert "late" in titles(session)
                assert kept.execute(text(WHERE)).scalar_one() is False
            assert there.trips == 0

        served.reader(alice, work, after=position)
        # A connection that was had before is led there as well.

        def keeping(session: Session) -> None:
            kept = session.connection()
            assert kept.execute(text("select title from app.todos where title = 'late'")).all() == [("late",)]
            assert kept.execute(text(WHERE)).scalar_one() is False

        served.reader(alice, keeping, after=position)

        def without_parameters(session: Session) -> list[object]:
            kept = session.connection(execution_options={"no_parameters": True})
            return [*kept.exec_driver_sql("select title from app.todos where title like 'lat%'").scalars()]

        assert served.reader(alice, without_parameters, after=position) == ["late"]
    finally:
        pair.resume()


@pytest.mark.parametrize("position", ["", "0/3000148", "00000001:0/", "00000001:0/3000148;", "1:0/3000148", 7])
def test_malformed(serve: Serve, wires: Wires, alice: UUID, position: object) -> None:
    """What is no position is refused before anything is sent, and not repeated."""
    served = serve()
    with wires.standby.counting() as there, pytest.raises(InvalidPosition, match="It has not the form"):
        served.reader(alice, titles, after=position)
    assert there.connections == 0


def test_far_future(serve: Serve, pair: Pair, alice: UUID, bob: UUID, caplog: pytest.LogCaptureFixture) -> None:
    """A position that no server has reached leads its own reader to the primary, and nobody else."""
    served = serve()
    eventually(lambda: served.reader(bob, lambda session: run(session, WHERE)) == [True])
    caplog.clear()
    far = f"{add(served, alice, 'here').partition(':')[0]}:FFFFFFFF/FFFFFFFF"
    pair.catch_up()
    for _ in range(3):
        assert served.reader(alice, lambda session: run(session, WHERE), after=far) == [False]
        assert served.reader(bob, lambda session: run(session, WHERE)) == [True]
    assert "here" in served.reader(alice, titles, after=far)
    assert not caplog.records


@pytest.mark.breadth
def test_without_replica(serve: Serve, pair: Pair, alice: UUID) -> None:
    """A position that travelled to a service without a replica is judged there, also by who may read little."""
    position = add(serve(), alice, "here")
    alone = serve(database_replica_url=None)
    with pair.primary.superuser_connection() as superuser:
        superuser.execute("revoke execute on function pg_control_checkpoint() from public")
        try:
            assert "here" in alone.reader(alice, titles, after=position)
            with pytest.raises(InvalidPosition, match="of timeline 9"):
                alone.reader(alice, titles, after=f"00000009:{position.partition(':')[2]}")
        finally:
            superuser.execute("grant execute on function pg_control_checkpoint() to public")
    pair.catch_up()


def test_other_timeline(serve: Serve, alice: UUID) -> None:
    """A position of another timeline than the primary's is refused."""
    served = serve()
    position = add(served, alice, "here")
    with pytest.raises(InvalidPosition, match="timeline 9, and the primary writes timeline 1"):
        served.reader(alice, titles, after=f"00000009:{position.partition(':')[2]}")
    assert "here" in served.reader(alice, titles, after=position)
