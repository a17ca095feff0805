"""Many users in interleaved transactions on a few connections, against a model in plain Python.

The model knows whose a row is and what each transaction has changed, and nothing of policies. A user's rows are written
by one transaction at a time, so that nobody waits for a lock; users never wait for each other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.clusters import Connection
from tests.model.connections import SERVICES, clean

USERS = [UUID(int=number) for number in range(1, 5)]
UNKNOWN = UUID(int=99)
IDS = [UUID(int=number) for number in range(1000, 1006)]  # few, so that users often have rows of the same id

type Key = tuple[UUID, UUID]
type Row = tuple[str, bool]
type Rows = dict[Key, Row]


@dataclass
class Transaction:
    """What one connection has said and changed; ``changes`` hold None for a row that was deleted."""

    me: UUID | None
    changes: dict[Key, Row | None] = field(default_factory=dict)
    savepoints: list[tuple[UUID | None, dict[Key, Row | None]]] = field(default_factory=list)
    wrote: set[UUID] = field(default_factory=set)


connections = st.integers(0, SERVICES - 1)
actors = st.sampled_from([*USERS, *USERS, UNKNOWN, "", None])
ids = st.sampled_from(IDS)
titles = st.sampled_from(["a", "b", "c"])


class Machine(RuleBasedStateMachine):
    """The rules; a subclass says on which connections."""

    admin: Connection
    services: list[Connection]
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        clean(self.services)
        self.admin.execute("delete from app.todos; delete from app.users")
        self.compared = False
        self.alive = set(USERS)
        self.committed: Rows = {}
        self.open: dict[int, Transaction] = {}
        for user in USERS:
            self._make(user)

    def _make(self, user: UUID) -> None:
        self.admin.execute(
            f"insert into app.users (id, name, email) values ('{user}', 'name', '{user}@example.com');"
            "insert into app.todos (owner_id, id, title, completed) "
            f"values ('{user}', '{IDS[0]}', 'a', false), ('{user}', '{IDS[1]}', 'a', true)"
        )
        self.committed |= {(user, id_): ("a", done) for id_, done in zip(IDS, (False, True), strict=False)}
        self.compared = False

    # What the model says.

    def rows(self, number: int) -> Rows:
        """The rows that the connection's user may reach now."""
        now = self.open.get(number)
        if now is None or now.me is None:
            return {}
        merged = {**self.committed, **now.changes}
        return {key: row for key, row in merged.items() if row is not None and key[0] == now.me}

    def may_write(self, number: int) -> bool:
        """Whether nobody else has written this user's rows in a transaction that is open."""
        now = self.open.get(number)
        others = [other.wrote for key, other in self.open.items() if key != number]
        return now is None or now.me is None or not any(now.me in wrote for wrote in others)

    def change(self, number: int, changes: dict[Key, Row | None]) -> None:
        """Note what was changed: in the transaction, or at once where there is none."""
        if number in self.open:
            now = self.open[number]
            now.changes.update(changes)
            if now.me is not None:
                now.wrote.add(now.me)

    @contextmanager
    def refused(self, number: int, *states: str) -> Iterator[None]:
        """Expect that the server refuses what is done in the block, and undo it."""
        service = self.services[number]
        if number not in self.open:
            service.rollback()
        service.execute("savepoint refusal")
        with pytest.raises(psycopg.Error) as caught:
            yield
        assert caught.value.sqlstate in states
        service.execute("rollback to refusal")
        if number not in self.open:
            service.rollback()

    def run(self, number: int, query: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement; without an open transaction it is one of its own, in which nobody acts."""
        type(self).steps += 1
        service = self.services[number]
        cursor = service.execute(query.encode(), values)
        rows = cursor.fetchall() if cursor.description else []
        if number not in self.open:
            self.commit(number)
        return rows

    def commit(self, number: int) -> None:
        """Commit: what is committed is to be compared again."""
        self.services[number].commit()
        self.compared = False

    # What is done.

    @rule(number=connections, actor=actors)
    def begin_or_become(self, number: int, actor: UUID | str | None) -> None:
        """Say who acts: in a new transaction, or anew in one that is open."""
        if actor is None and number in self.open:
            return
        now = self.open.setdefault(number, Transaction(None))
        if actor is not None:
            self.run(number, "select app.set_user_id(%s)", [str(actor)])
            now.me = actor if isinstance(actor, UUID) else None
        else:
            self.run(number, "select 1")

    @rule(number=connections)
    def look(self, number: int) -> None:
        """See one's own rows, all of them and nothing else."""
        found = self.run(number, "select owner_id, id, title, completed from app.todos")
        assert {(owner, id_): (title, done) for owner, id_, title, done in found} == self.rows(number)

    @rule(number=connections, id_=ids)
    def look_for(self, number: int, id_: UUID) -> None:
        """See the row of an id if one has it, and as many as one has."""
        mine = self.rows(number)
        found = self.run(number, "select title, (select count(*) from app.todos) from app.todos where id = %s", [id_])
        assert found == [(row[0], len(mine)) for key, row in mine.items() if key[1] == id_]

    @precondition(lambda self: self.open)
    @rule(number=connections, id_=ids, title=titles)
    def insert(self, number: int, id_: UUID, title: str) -> None:
        """Add a row of one's own, whoever else has that id; without a user nothing can be added."""
        if not self.may_write(number):
            return
        now = self.open.get(number)
        query, values = "insert into app.todos (id, title) values (%s, %s)", [id_, title]
        if now is None or now.me is None:
            with self.refused(number, "42501"):
                self.services[number].execute(query.encode(), values)
        elif now.me not in self.alive:
            with self.refused(number, "23503"):
                self.services[number].execute(query.encode(), values)
        elif (now.me, id_) in self.rows(number):
            with self.refused(number, "23505"):
                self.services[number].execute(query.encode(), values)
        else:
            self.run(number, query, values)
            self.change(number, {(now.me, id_): (title, False)})

    @rule(number=connections, id_=ids, title=titles)
    def upsert(self, number: int, id_: UUID, title: str) -> None:
        """Add or change a row of one's own."""
        now = self.open.get(number)
        if now is None or now.me not in self.alive or not self.may_write(number):
            return
        self.run(
            number,
            "insert into app.todos (id, title) values (%s, %s) "
            "on conflict (owner_id, id) do update set title = excluded.title",
            [id_, title],
        )
        done = self.rows(number).get((now.me, id_), ("", False))[1]
        self.change(number, {(now.me, id_): (title, done)})

    @rule(number=connections, title=titles, id_=st.none() | ids)
    def update(self, number: int, title: str, id_: UUID | None) -> None:
        """Change one's own rows: all of them by a bare UPDATE, or the one with an id."""
        self.write(
            number,
            # Nothing of the row is read: otherwise the SELECT policy would be asked as well, and hide a hole.
            "update app.todos set title = %s, completed = true",
            [title],
            id_,
            lambda _: (title, True),
        )

    @rule(number=connections, id_=st.none() | ids)
    def delete(self, number: int, id_: UUID | None) -> None:
        """Delete one's own rows: all of them by a bare DELETE, or the one with an id."""
        self.write(number, "delete from app.todos", [], id_, lambda _: None)

    def write(self, number: int, query: str, values: list[Any], id_: UUID | None, effect: Any) -> None:
        """Change or delete, and compare how many rows it was."""
        if not self.may_write(number):
            return
        chosen = {key: row for key, row in self.rows(number).items() if id_ in (None, key[1])}
        type(self).steps += 1
        query, values = (query, values) if id_ is None else (query + " where id = %s", [*values, id_])
        count = self.services[number].execute(query.encode(), values).rowcount
        if number not in self.open:
            self.commit(number)
        assert count == len(chosen)
        if chosen:
            self.change(number, {key: effect(row) for key, row in chosen.items()})

    @rule(number=connections, other=st.sampled_from(USERS), id_=ids)
    def give_or_take(self, number: int, other: UUID, id_: UUID) -> None:
        """Say whose a row is: refused, at an insert and at an update, whoever it is."""
        type(self).steps += 1
        with self.refused(number, "42501"):
            self.services[number].execute("update app.todos set owner_id = %s", [other])
        with self.refused(number, "42501"):
            self.services[number].execute(
                "insert into app.todos (owner_id, id, title) values (%s, %s, 'x')", [other, id_]
            )

    @precondition(lambda self: self.open)
    @rule(number=connections)
    def savepoint(self, number: int) -> None:
        """Mark a point to go back to."""
        if number in self.open:
            self.run(number, f"savepoint s{len(self.open[number].savepoints)}")
            self.open[number].savepoints.append((self.open[number].me, dict(self.open[number].changes)))

    @precondition(lambda self: any(now.savepoints for now in self.open.values()))
    @rule(number=connections)
    def go_back(self, number: int) -> None:
        """Go back to the last mark. Who acts goes back too: PostgreSQL undoes settings with the rest."""
        now = self.open.get(number)
        if now is None or not now.savepoints:
            return
        now.me, now.changes = now.savepoints.pop()
        self.run(number, f"rollback to s{len(now.savepoints)}")

    @precondition(lambda self: self.open)
    @rule(number=connections, keep=st.booleans())
    def end(self, number: int, keep: bool) -> None:
        """Commit or roll back."""
        now = self.open.pop(number, None)
        if now is None:
            return
        type(self).steps += 1
        if keep:
            self.commit(number)
            for key, row in now.changes.items():
                if row is None:
                    self.committed.pop(key, None)
                else:
                    self.committed[key] = row
        else:
            self.services[number].rollback()

    @rule(user=st.sampled_from(USERS))
    def come_or_go(self, user: UUID) -> None:
        """A user is removed, with all that they own, or comes back with two rows."""
        if any(user in now.wrote or now.me == user for now in self.open.values()):
            return
        type(self).steps += 1
        if user in self.alive:
            self.admin.execute("delete from app.users where id = %s", [user])
            self.committed = {key: row for key, row in self.committed.items() if key[0] != user}
            self.compared = False
            self.alive.remove(user)
        else:
            self._make(user)
            self.alive.add(user)

    @invariant()
    def nothing_else_changed(self) -> None:
        """What is committed is what the model holds, to the row; where nothing was, nothing is asked."""
        if self.compared:
            return
        self.compared = True
        found = self.admin.execute("select owner_id, id, title, completed from app.todos").fetchall()
        assert {(owner, id_): (title, done) for owner, id_, title, done in found} == self.committed

    def teardown(self) -> None:
        """Leave nothing open."""
        for service in self.services:
            service.rollback()
