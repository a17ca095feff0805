"""Where attacks are carried out: a database with Alice, Bob and many others, a victim at work, and its twin.

The twin differs in one thing: what Bob has there, Carol has, and the other way round. Every total is the same, so an
answer that tells the two apart tells something of Bob.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import psycopg
from psycopg.pq import TransactionStatus

from tests.attacks.attack import Aim, Attack, Change, Outcome
from tests.attacks.world import (
    ACME,
    ALICE,
    BETA,
    BOB,
    DELTA,
    EPSILON,
    GAMMA,
    GHOST,
    GHOST_TEAM,
    KEY,
    MARKS,
    OWN,
    QUIET,
    RETIRED,
    SNAPSHOT,
    VERIFY_SEAL,
    VERIFY_USER,
    ZETA,
    fill,
    uuid_of,
)
from tests.clusters import Cluster, Connection, Database, OwnerKind, deploy, make_logins
from tests.fenced import add_fenced
from userscope.generate.team import TeamTable


def add_fence(database: Database) -> None:
    """Add a fenced twin of app.todos, as its owner: app.secrets."""
    with database.connect() as owner:
        add_fenced(owner, "secrets", "secret")


def add_boards(database: Database) -> None:
    """Add a table of organizations, as its owner, of which owners alone delete: app.boards."""
    scripts = TeamTable.of_organization("boards", ["name:text:100"], delete_by="owner,admin").scripts(
        "schema", "policies"
    )
    with database.connect() as owner:
        for project in ("schema", "policies"):
            owner.execute(scripts[project, "deploy"].encode())


def seal(user: str, *, key: bytes = KEY, key_id: str = "k1", life: int = 3600) -> str:
    """A seal as the documentation says, by Python's own HMAC."""
    expiry = int(time.time()) + life
    return f"{key_id}.{expiry}.{hmac.digest(key, f'{user}.{expiry}'.encode(), hashlib.sha256).hex()}"


_BUFFERS = re.compile(r"Buffers: shared([^\n]*)")
_PLANNING = re.compile(r"^Planning:\n  Buffers:[^\n]*\n?", re.MULTILINE)


def without_memory(answer: str) -> str:
    """An answer with a plan's pages counted, wherever they were: what was in memory already, or cached, is chance."""

    def pages(match: re.Match[str]) -> str:
        return f"Buffers: shared {sum(int(number) for number in re.findall(r'(?:hit|read)=(\d+)', match[1]))}"

    return _BUFFERS.sub(pages, _PLANNING.sub("", answer))


@dataclass
class Arena:
    """One database to attack, sealed or not.

    ``careless``: services send seals as literals. ``moved``: the rows are right, but not where they were.
    ``known``: the last snapshot, and how often roles had been made or mended until then: they are all arenas'.
    """

    mended: ClassVar[int] = 0

    database: Database
    sealed: bool = False
    careless: bool = False
    moved: bool = False
    victim: Connection | None = None
    victim_seal: str = ""
    known: tuple[int, dict[str, str]] | None = None
    traces: set[str] = field(default_factory=set)

    @classmethod
    def build(cls, cluster: Cluster, kind: OwnerKind, *, twin: bool = False) -> "Arena":
        """Migrate a database as an owner of this kind, and fill it."""
        database = cluster.database(kind)
        deploy(database.url())
        make_logins(database)
        add_fence(database)
        add_boards(database)
        arena = cls(database)
        with database.superuser_connection() as superuser:
            fill(superuser, twin=twin)
        cls.mended += 1
        return arena

    def clone(self, change: Change | None = None) -> "Arena":
        """A copy of it as it stands, to which a change was made; nobody may be connected to the original."""
        copy = Arena(self.database.cluster.clone(self.database.name, owner=self.database.owner))
        copy.change(change)
        return copy

    def drop(self) -> None:
        """Drop the database."""
        for connection in (self.victim, self.__dict__.pop("superuser", None)):
            if connection:
                connection.close()
        self.database.drop()

    def change(self, change: Change | None) -> None:
        """Make a change as the superuser."""
        with self.database.superuser_connection() as superuser:
            if callable(change):
                change(superuser)
            elif change:
                for statement in self.written(change).split("; "):
                    superuser.execute(statement.encode())

    def require_seals(self, required: bool) -> None:
        """Say whether a seal is required; services seal from then on."""
        self.sealed, self.known = required, None
        self.change(f"update app_private.sealing set required = {required}")

    @property
    def facts(self) -> dict[str, str]:
        """What an attacker may be supposed to know: ids, addresses, old seals out of a log, and what is public."""
        return {
            "alice": ALICE,
            "bob": BOB,
            "bob_todo": uuid_of("bob1ghost"),
            "bob_email": "robert@example.com",
            "ghost": GHOST,
            "ghost_email": "ghost@example.com",
            "ghost_username": "ghost",
            "acme": ACME,
            "gamma": GAMMA,
            "beta": BETA,
            "delta": DELTA,
            "epsilon": EPSILON,
            "zeta": ZETA,
            "quiet": QUIET,
            "ghost_team": GHOST_TEAM,
            "spook_team": GHOST_TEAM.replace("c", "e"),
            "owner": self.database.owner,
            "database": self.database.name,
            "expired": seal(BOB, life=-5),
            "retired": seal(BOB, key=RETIRED, key_id="k0"),
            "other_key": seal(BOB, key=b"guess".ljust(32, b"!")),
            "zero_key": seal(BOB, key=bytes(32)),
            "unknown_key": seal(BOB, key_id="k2"),
            "verify_seal": VERIFY_SEAL,
            "verify_user": VERIFY_USER,
        }

    def written(self, text: str) -> str:
        """SQL with the facts filled in."""
        for name, value in self.facts.items():
            text = text.replace("{" + name + "}", value)
        return text

    @cached_property
    def superuser(self) -> Connection:
        """A superuser's connection that stays open; a database with one cannot be copied."""
        return self.database.superuser_connection()

    def snapshot(self) -> dict[str, str]:
        """Everything that is committed, of everybody: rows, policies, grants, functions, roles and their settings."""
        return dict(self.superuser.execute(SNAPSHOT.encode()).fetchall())

    def service(self) -> Connection:
        """A new connection of a service, which leaves it to attackers to prepare statements; the caller closes it."""
        connection = self.database.connect("service")
        connection.prepare_threshold = None
        return connection

    def acting_for(self, connection: Connection, user: str) -> str:
        """Begin as a service does, identity and seal bound; return the seal."""
        own = seal(user) if self.sealed else ""
        connection.execute("begin")
        connection.execute("select app.set_user_id(%s, %s), 'what bob asks'::text", [user, own])
        return own

    def put_bob_to_work(self) -> None:
        """Have Bob work meanwhile, in another session of the same login."""
        if self.victim is None or self.victim.closed:
            self.victim = self.service()
        self.victim.execute("rollback")
        self.victim_seal = self.acting_for(self.victim, BOB)
        if self.careless:
            self.victim.execute(f"select app.set_user_id('{BOB}', '{self.victim_seal}')".encode())

    def answers(self, attack: Attack) -> str:
        """Carry out an attack and return everything that PostgreSQL answered, errors in full."""
        self.put_bob_to_work()
        with self.service() as connection:
            self.acting_for(connection, ALICE)
            return "\n".join([*run(connection, map(self.written, attack.steps)), *run(connection, ["commit"])])

    def attempt(self, attack: Attack, twin: "Arena") -> tuple[Outcome, str]:
        """Carry out an attack and tell what came of it, and how that was seen."""
        known, before = self.known or (None, {})
        if known != Arena.mended:
            before = self.snapshot()
        answers = self.answers(attack)
        after = self.snapshot()
        self.known = Arena.mended, after
        self.traces = {name for name in before if before[name] != after[name]}
        if changed := sorted(name for name in self.traces if not name.endswith(" of Alice")):
            return Outcome.WORKS, f"changed: {', '.join(changed)}"
        if attack.aim is Aim.TELL:
            other = twin.answers(attack)
            told_apart = without_memory(answers) != without_memory(other)
            return (Outcome.WORKS if told_apart else Outcome.HOLDS), f"{answers}\n--- twin ---\n{other}"
        marks = [self.written(attack.trophy)] if attack.trophy else [*MARKS, *filter(None, [self.victim_seal])]
        return (Outcome.WORKS if any(mark in answers for mark in marks) else Outcome.HOLDS), answers

    def mend(self) -> bool:
        """Undo the last attack's traces; False where something else than people and todos was changed."""
        if not self.traces:
            return True
        if not all(name.removesuffix(" of Alice") in OWN for name in self.traces):
            return False
        with self.superuser.transaction():
            self.superuser.execute("set local session_replication_role = replica")
            for table in ("users", "todos"):
                self.superuser.execute(f"delete from app.{table}".encode())
                self.superuser.execute(f"insert into app.{table} select * from kept.{table}".encode())
        self.known, self.moved = None, True
        return True


def run(connection: Connection, steps: Iterable[str]) -> Iterator[str]:
    """Run statements as an attacker would who minds no error; yield answers and errors as text."""
    for step in steps:
        if connection.closed:
            yield "closed"
            return
        inside = connection.info.transaction_status == TransactionStatus.INTRANS
        if inside and not step.startswith(("commit", "rollback")):
            connection.execute("savepoint attack")
        try:
            yield _answer(connection, step)
        except psycopg.Error as error:
            said = [error.diag.message_primary, error.diag.message_detail, error.diag.message_hint, error.diag.context]
            yield f"{error.sqlstate}: {' '.join(str(part) for part in said if part)}"
        if not connection.closed and connection.info.transaction_status == TransactionStatus.INERROR:
            connection.execute("rollback to savepoint attack" if inside else "rollback")


def _answer(connection: Connection, step: str) -> str:
    with connection.cursor() as cursor:
        if step.startswith("copy") and "stdout" in step:
            with cursor.copy(step.encode()) as copy:
                return "".join(bytes(data).decode() for data in copy)
        cursor.execute(step.encode())
        answers: list[str] = []
        for _ in cursor.results():
            if cursor.description:
                answers += ["|".join(map(_text, row)) for row in cursor.fetchall()]
            else:
                answers.append(f"{cursor.statusmessage}")
        return "\n".join(answers)


def _text(value: Any) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)
