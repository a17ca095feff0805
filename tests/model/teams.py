"""Members of several organizations in interleaved transactions, against a model in plain Python.

The model knows whose a row is, who is a member now and what each transaction has changed, and nothing of policies. An
organization's rows are written by one transaction at a time, so that nobody waits for a lock.
"""

from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.clusters import Connection
from tests.model.connections import SERVICES, clean

USERS = [UUID(int=number) for number in range(1, 4)]
TEAMS = [UUID(int=number) for number in range(101, 104)]
UNKNOWN = UUID(int=199)
IDS = [UUID(int=number) for number in range(1000, 1004)]  # few, so that organizations often have rows of the same id

type Key = tuple[UUID, UUID]
type Refused = Literal["42501", "23505"]


@dataclass
class Transaction:
    """What one connection has said and changed; ``changes`` hold None for a row that was deleted."""

    me: UUID
    claimed: UUID | None
    changes: dict[Key, str | None] = field(default_factory=dict)
    wrote: set[UUID] = field(default_factory=set)


connections = st.integers(0, SERVICES - 1)
ids = st.sampled_from(IDS)
names = st.sampled_from(["a", "b", "c"])
claims = st.sampled_from([*TEAMS, *TEAMS, UNKNOWN, None])


class Machine(RuleBasedStateMachine):
    """The rules; a subclass says on which connections. Admins alone delete."""

    admin: Connection
    services: list[Connection]
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        clean(self.services)
        for service in self.services:
            service.execute("set lock_timeout = '10s'")  # nobody waits for anybody, but where something is wrong
            service.commit()
        self.admin.execute("delete from app.model_boards; delete from app.organizations; delete from app.users")
        for user in USERS:
            values = [user, f"{user}@example.com"]
            self.admin.execute("insert into app.users (id, name, email) values (%s, 'name', %s)", values)
        self.roles: dict[Key, str] = {}
        self.committed: dict[Key, str] = {}
        self.open: dict[int, Transaction] = {}
        self.alive: set[UUID] = set()
        for team in TEAMS:
            self.found_or_end(team)
        for number, (user, team) in enumerate(zip(USERS, TEAMS, strict=True)):
            self.act(number, user, team)

    def role(self, now: Transaction) -> str | None:
        """What the user is in the organization that the transaction claims."""
        return self.roles.get((now.claimed, now.me)) if now.claimed else None

    def rows(self, now: Transaction) -> dict[Key, str]:
        """The rows that the transaction may reach now."""
        if self.role(now) is None:
            return {}
        merged = {**self.committed, **now.changes}
        return {key: name for key, name in merged.items() if name is not None and key[0] == now.claimed}

    def may_write(self, number: int) -> bool:
        """Whether nobody else has written the organization's rows in a transaction that is open."""
        claimed = self.open[number].claimed
        return not any(claimed in other.wrote for key, other in self.open.items() if key != number)

    def attempt(self, number: int, query: str, *values: Any) -> list[tuple[Any, ...]] | Refused:
        """Run a statement: its rows, or the code of its refusal, which undoes nothing else."""
        type(self).steps += 1
        service = self.services[number]
        service.execute("savepoint attempt")
        try:
            cursor = service.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else [()] * cursor.rowcount
        except psycopg.errors.InsufficientPrivilege:
            service.execute("rollback to attempt")
            return "42501"
        except psycopg.errors.UniqueViolation:
            service.execute("rollback to attempt")
            return "23505"

    def note(self, number: int, changes: dict[Key, str | None]) -> None:
        """Note what was changed."""
        self.open[number].changes.update(changes)
        self.open[number].wrote.update(team for team, _ in changes)

    @rule(number=connections, user=st.sampled_from(USERS), claimed=claims)
    def act(self, number: int, user: UUID, claimed: UUID | None) -> None:
        """Say who acts, and in which organization, anew in a transaction or in a new one: each connection has one."""
        now = self.open.setdefault(number, Transaction(user, claimed))
        now.me, now.claimed = user, claimed
        service = self.services[number]
        service.execute("select app.set_user_id(%s)", [str(user)])
        service.execute("select app.set_organization_id(%s)", [str(claimed) if claimed else ""])

    @rule(number=connections)
    def look(self, number: int) -> None:
        """See the organization's rows, all of them and nothing else; who is no member is refused, or sees none."""
        now = self.open[number]
        found = self.attempt(number, "select organization_id, id, name from app.model_boards")
        if now.claimed and self.role(now) is None:
            assert found in ("42501", [])  # nothing is asked where there is no row at all
        else:
            assert not isinstance(found, str)
            assert {(team, id_): name for team, id_, name in found} == self.rows(now)

    @rule(number=connections)
    def look_around(self, number: int) -> None:
        """See one's own memberships, whatever is claimed."""
        found = self.attempt(number, "select organization_id, role from app.memberships")
        mine = {team: role for (team, user), role in self.roles.items() if user == self.open[number].me}
        assert sorted(found) == sorted(mine.items())

    @rule(number=connections, id_=ids, name=names)
    def insert(self, number: int, id_: UUID, name: str) -> None:
        """Add a row, whichever other organization has that id; refused to who is no member, or acts in none."""
        now = self.open[number]
        if not self.may_write(number):
            return
        done = self.attempt(number, "insert into app.model_boards (id, name) values (%s, %s)", id_, name)
        if now.claimed is None or self.role(now) is None:
            assert done == "42501"
        elif (now.claimed, id_) in self.rows(now):
            assert done == "23505"
        else:
            assert done == [()]
            self.note(number, {(now.claimed, id_): name})

    @rule(number=connections, name=names, delete=st.booleans())
    def write(self, number: int, name: str, delete: bool) -> None:
        """Change or delete, without a condition, whose SELECT policy would hide a hole; admins alone delete."""
        now = self.open[number]
        if not self.may_write(number):
            return
        query = "delete from app.model_boards" if delete else "update app.model_boards set name = %s"
        done = self.attempt(number, query, *([] if delete else [name]))
        if now.claimed and self.role(now) is None:
            assert done in ("42501", [])
            return
        expected = self.rows(now) if not delete or self.role(now) == "admin" else {}
        assert not isinstance(done, str)
        assert len(done) == len(expected)
        if expected:
            self.note(number, dict.fromkeys(expected, None if delete else name))

    @rule(number=connections, other=st.sampled_from(TEAMS), id_=ids)
    def give_or_take(self, number: int, other: UUID, id_: UUID) -> None:
        """Say whose a row is: refused, at an insert and at an update, whoever it is."""
        assert self.attempt(number, "update app.model_boards set organization_id = %s", other) == "42501"
        query = "insert into app.model_boards (organization_id, id, name) values (%s, %s, 'x')"
        assert self.attempt(number, query, other, id_) == "42501"

    @rule(number=connections, keep=st.booleans())
    def end(self, number: int, keep: bool) -> None:
        """Commit or roll back; nothing that was said outlives it. Then the same user goes on."""
        now, service = self.open.pop(number), self.services[number]
        if keep:
            service.commit()
            self.compared = False
            self.committed |= {key: name for key, name in now.changes.items() if name is not None}
            for key in [key for key, name in now.changes.items() if name is None]:
                self.committed.pop(key, None)
        else:
            service.rollback()
        assert self.attempt(number, "select organization_id, id, name from app.model_boards") == []
        self.act(number, now.me, now.claimed)

    @rule(user=st.sampled_from(USERS), team=st.sampled_from(TEAMS), role=st.sampled_from(["member", "admin", None]))
    def join_or_leave(self, user: UUID, team: UUID, role: str | None) -> None:
        """Somebody becomes a member, or another one, or is removed: it counts at once, also for who is at work."""
        if team not in self.alive:
            return
        self.admin.execute("delete from app.members where organization_id = %s and user_id = %s", [team, user])
        self.roles.pop((team, user), None)
        if role is not None:
            values = [team, user, role]
            self.admin.execute("insert into app.members (organization_id, user_id, role) values (%s, %s, %s)", values)
            self.roles[team, user] = role

    @rule(team=st.sampled_from(TEAMS))
    def found_or_end(self, team: UUID) -> None:
        """An organization is founded, with two rows and two members, or goes with all that belongs to it."""
        if any(team in now.wrote for now in self.open.values()):
            return
        self.compared = False
        if team in self.alive:
            self.admin.execute("delete from app.organizations where id = %s", [team])
            self.alive.remove(team)
            self.roles = {key: role for key, role in self.roles.items() if key[0] != team}
            self.committed = {key: name for key, name in self.committed.items() if key[0] != team}
        else:
            values = [team, f"team-{team.int}"]
            self.admin.execute("insert into app.organizations (id, name, slug) values (%s, 'Team', %s)", values)
            self.alive.add(team)
            for id_ in IDS[:2]:
                query = "insert into app.model_boards (organization_id, id, name, created_by) values (%s, %s, 'a', %s)"
                self.admin.execute(query, [team, id_, USERS[0]])
                self.committed[team, id_] = "a"
            first = TEAMS.index(team)
            self.join_or_leave(USERS[first], team, "admin")
            self.join_or_leave(USERS[first - 1], team, "member")

    @invariant()
    def nothing_else_changed(self) -> None:
        """What is committed is what the model holds, to the row; where nothing was, nothing is asked."""
        if self.compared:
            return
        self.compared = True
        found = self.admin.execute("select organization_id, id, name from app.model_boards").fetchall()
        assert {(team, id_): name for team, id_, name in found} == self.committed

    def teardown(self) -> None:
        """Leave nothing open."""
        for service in self.services:
            service.rollback()
