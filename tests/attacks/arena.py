"""Where attacks are carried out: a database with Alice, Bob and many others, a victim at work, and its twin.

The twin differs in one thing: what Bob has there, Carol has, and the other way round. Every total is the same, so an
answer that tells the two apart tells something of Bob.
"""

import hashlib
import hmac
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from tests.attacks.attack import Aim, Attack, Change, Outcome
from tests.clusters import Cluster, Connection, Database, OwnerKind, deploy, give_back_acl, make_logins

ALICE = "aaaaaaaa-0000-4000-8000-000000000001"
BOB = "bbbbbbbb-0000-4000-8000-000000000002"
CAROL = "cccccccc-0000-4000-8000-000000000003"
GHOST = "dddddddd-0000-4000-8000-000000000004"
"""Somebody who has an account here; in the twin, under this id and address, there is nobody."""
KEY, RETIRED = bytes(range(32)), bytes(range(32, 64))
VERIFY_SEAL = "_verify.9999999999.7b174f1e249fd63b1ddb816e60d8289f2a5abf3e9d368b4a289ec6956f9f2b75"
"""Of schema/verify/identity.sql, as everybody can read: a seal of somebody by a key of zeros."""
VERIFY_USER = "00000000-0000-4000-8000-00000000000a"

MARKS = ("bob secret", "Robert Secretly", "bob-session", "bob-password")
"""What only Bob's rows hold."""

_PEOPLE = """
insert into app.users (id, name, email, username) values
    (%(alice)s, 'Alice Plainly', 'alice@example.com', 'alice'),
    (%(bob)s, 'Robert Secretly', %(bob_email)s, %(bob_username)s),
    (%(carol)s, 'Carola Quietly', %(carol_email)s, %(carol_username)s),
    (%(ghost)s, 'Somebody', %(ghost_name)s || '@example.com', %(ghost_name)s);
"""
_OTHERS = """
insert into app.users (id, name, email)
select md5('user ' || n)::uuid, 'Somebody', 'user' || n || '@example.com' from generate_series(1, 20) as n;
insert into app.todos (owner_id, id, title) select md5('user ' || n % 20 + 1)::uuid, md5('todo ' || n)::uuid, 'other ' || n
  from generate_series(1, 780) as n;
"""
# The rows of the two who change places are the same rows, in the same order, with another owner.
_TODOS = """
insert into app.todos (owner_id, id, title, description, due_at, created_at)
select owner, md5(name || n || case name || n when 'bob1' then %(ghost_name)s else '' end)::uuid, format('%%s secret %%s', name, n), 'why', timestamptz '2027-01-01 00:00Z' + n * interval '1 day',
       timestamptz '2026-01-01 00:00Z' + n * interval '1 hour'
  from (values (%(alice)s::uuid, 'ali', 3), (%(many)s::uuid, 'bob', 37), (%(few)s::uuid, 'car', 5)) as p (owner, name, total),
       generate_series(1, total) as n order by name, n
"""
_SECRETS = """
insert into app.sessions (user_id, token, expires_at) values (%(bob)s, 'bob-session', now());
insert into app.accounts (user_id, account_id, provider_id, password) values (%(bob)s, '1', 'credential', 'bob-password');
"""

_TABLES = ("app.users", "app.todos", "app.sessions", "app.accounts", "app.verifications", "app.jwks")
_CATALOGS = (
    "pg_authid", "pg_auth_members", "pg_db_role_setting", "pg_database_acl", "pg_namespace", "pg_default_acl",
    "pg_extension", "pg_policy", "pg_rewrite", "pg_event_trigger", "pg_publication", "pg_largeobject_metadata",
    "pg_foreign_server", "pg_replication_slots", "pg_language", "pg_cast",
)  # fmt: skip
_OWN = {"app.users": "id", "app.todos": "owner_id"}
_SNAPSHOT = "\nunion all\n".join(
    [
        *(f"select '{name} of Alice', string_agg(t::text, '|' order by t::text) from {name} as t where {owner} = '{ALICE}'"
          for name, owner in _OWN.items()),
        *(f"select '{name}', md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {name} as t"
          + (f" where {_OWN[name]} <> '{ALICE}'" if name in _OWN else "")
          for name in (*_TABLES, "app_private.seal_keys", "app_private.sealing", *_CATALOGS)
          if name not in ("pg_database_acl", "pg_namespace", "pg_rewrite", "pg_replication_slots")),
        "select 'pg_namespace', string_agg(t::text, '|' order by t::text) from pg_namespace as t where nspname !~ '^pg_'",
        "select 'pg_database', string_agg((datname, datdba, datacl)::text, '|' order by datname) from pg_database "
        "where datname = current_database()",
        "select 'pg_replication_slots', count(*)::text from pg_replication_slots",
        "select 'pg_rewrite', count(*)::text from pg_rewrite",
        "select 'pg_proc', md5(string_agg((oid, prosrc, prosqlbody, proacl, proowner, proconfig)::text, '|' order by oid)) "
        "from pg_proc where oid >= 16384",
        "select 'pg_class', string_agg((oid, relname, relnamespace, relowner, relacl, relrowsecurity, relforcerowsecurity, "
        "relhastriggers, relreplident)::text, '|' order by oid) from pg_class where relnamespace::regnamespace::text !~ '^pg_'",
        "select 'pg_attribute', md5(string_agg((attrelid, attname, attacl, attstattarget)::text, '|' order by attrelid, attnum)) "
        "from pg_attribute where attrelid >= 16384",
        "select 'pg_trigger', md5(string_agg((oid, tgname, tgrelid, tgenabled)::text, '|' order by oid)) from pg_trigger",
        "select 'pg_constraint', md5(string_agg((oid, conname)::text, '|' order by oid)) from pg_constraint",
        "select 'settings of the server', md5(string_agg(name || coalesce(setting, ''), '|' order by name)) "
        "from pg_file_settings",
    ]
)  # fmt: skip


def seal(user: str, *, key: bytes = KEY, key_id: str = "k1", life: int = 3600) -> str:
    """A seal as the documentation says, by Python's own HMAC."""
    expiry = int(time.time()) + life
    return f"{key_id}.{expiry}.{hmac.digest(key, f'{user}.{expiry}'.encode(), hashlib.sha256).hex()}"


@dataclass
class Arena:
    """One database to attack, sealed or not.

    ``careless``: services send seals as literals. ``moved``: the rows are right, but not where they were.
    """

    database: Database
    sealed: bool = False
    careless: bool = False
    moved: bool = False
    victim: Connection | None = None
    victim_seal: str = ""
    known: dict[str, str] | None = None
    traces: set[str] = field(default_factory=set)

    @classmethod
    def build(cls, cluster: Cluster, kind: OwnerKind, *, twin: bool = False) -> "Arena":
        """Migrate a database as an owner of this kind, and fill it."""
        database = cluster.database(kind)
        deploy(database.url())
        make_logins(database)
        arena = cls(database)
        with database.superuser_connection() as superuser:
            _fill(superuser, twin=twin)
        return arena

    def clone(self, change: Change | None = None) -> "Arena":
        """A copy of it as it stands, to which a change was made; nobody may be connected to the original."""
        name = f"{self.database.name}_{time.monotonic_ns()}"
        self.database.cluster.create_database(name, owner=self.database.owner, template=self.database.name)
        give_back_acl(self.database.cluster, name, self.database.name)
        copy = Arena(Database(self.database.cluster, name, self.database.owner))
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
            "bob_todo": _uuid("bob1ghost"),
            "bob_email": "robert@example.com",
            "ghost": GHOST,
            "ghost_email": "ghost@example.com",
            "ghost_username": "ghost",
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
        return dict(self.superuser.execute(_SNAPSHOT.encode()).fetchall())

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
        before = self.known or self.snapshot()
        answers = self.answers(attack)
        after = self.snapshot()
        self.known = after
        self.traces = {name for name in before if before[name] != after[name]}
        if changed := sorted(name for name in self.traces if not name.endswith(" of Alice")):
            return Outcome.WORKS, f"changed: {', '.join(changed)}"
        if attack.aim is Aim.TELL:
            other = twin.answers(attack)
            return (Outcome.WORKS if answers != other else Outcome.HOLDS), f"{answers}\n--- twin ---\n{other}"
        marks = [self.written(attack.trophy)] if attack.trophy else [*MARKS, *filter(None, [self.victim_seal])]
        return (Outcome.WORKS if any(mark in answers for mark in marks) else Outcome.HOLDS), answers

    def mend(self) -> bool:
        """Undo the last attack's traces; False where something else than people and todos was changed."""
        if not self.traces:
            return True
        if not all(name.removesuffix(" of Alice") in _OWN for name in self.traces):
            return False
        with self.superuser.transaction():
            self.superuser.execute("set local session_replication_role = replica")
            for table in ("users", "todos"):
                self.superuser.execute(f"delete from app.{table}".encode())
                self.superuser.execute(f"insert into app.{table} select * from kept.{table}".encode())
        self.known, self.moved = None, True
        return True


def run(connection: Connection, steps: Iterator[str] | Sequence[str]) -> Iterator[str]:
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


def _uuid(text: str) -> str:
    """What md5(text)::uuid is."""
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def _fill(superuser: Connection, *, twin: bool) -> None:
    many, few = (CAROL, BOB) if twin else (BOB, CAROL)
    addresses = [("robert@example.com", "robert"), ("carola@example.com", "carola")]
    (bob_email, bob_username), (carol_email, carol_username) = reversed(addresses) if twin else addresses
    values = {
        "alice": ALICE, "bob": BOB, "carol": CAROL, "many": many, "few": few,
        "bob_email": bob_email, "carol_email": carol_email,
        "bob_username": bob_username, "carol_username": carol_username,
        "ghost": GHOST.replace("d", "e") if twin else GHOST, "ghost_name": "spook" if twin else "ghost",
    }  # fmt: skip
    with psycopg.ClientCursor(superuser) as cursor:
        for statement in (_PEOPLE, _OTHERS, _TODOS, _SECRETS):
            cursor.execute(statement, values if "%(" in statement else None)
    for key_id, key, retired in (("k1", KEY, None), ("k0", RETIRED, "now()")):
        block = key.ljust(64, b"\0")
        pads = [bytes(byte ^ mask for byte in block) for mask in (0x36, 0x5C)]
        superuser.execute(
            sql.SQL(
                "insert into app_private.seal_keys (id, inner_pad, outer_pad, retired_at) values (%s, %s, %s, {})"
            ).format(sql.SQL(retired or "null")),
            [key_id, *pads],
        )
    superuser.execute("create schema kept")
    for table in ("users", "todos"):
        superuser.execute(f"create table kept.{table} as table app.{table}".encode())
    for table in _TABLES:
        _settle(superuser, table)


def _settle(superuser: Connection, table: str) -> None:
    """Bring a table to the one state that vacuuming leads to, so that plans differ for no other reason than rows."""
    superuser.execute(f"alter table {table} set (autovacuum_enabled = off)".encode())
    unsettled = "select from pg_class where oid = %s::regclass and relallvisible < relpages"
    while True:
        superuser.execute(f"vacuum (analyze) {table}".encode())
        if superuser.execute(unsettled, [table]).fetchone() is None:
            return
        time.sleep(0.05)  # somebody's snapshot of a moment ago is still held
