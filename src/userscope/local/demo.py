"""Two people sign up, add todos, and reach for each other's: what each sends, and what PostgreSQL answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

import psycopg

from userscope.identity import SealKey, credentials
from userscope.settings import Settings

PEOPLE = {"Alice": "alice@demo.example.com", "Bob": "bob@demo.example.com"}
TODOS = {"Alice": ["Buy milk", "Call the notary"], "Bob": ["Fix the bike"]}


@dataclass(frozen=True)
class Step:
    """One statement: who sent it, the SQL with its values shown in it, the answer, and whether that is right."""

    who: str
    sql: str
    answer: str
    right: bool


def run(settings: Settings, report: Callable[[Step], None]) -> dict[str, UUID]:
    """Run the demonstration and return the two users' ids, who stay; earlier ones of the same e-mail are replaced.

    Raises ConfigurationError where the server is not on this machine.
    """
    settings.require_local("demo")
    secret = settings.userscope_seal_key
    key = SealKey.parse(secret.get_secret_value()) if secret else None
    with (
        psycopg.connect(settings.url("auth").conninfo(), autocommit=True) as auth,
        psycopg.connect(settings.url("service").conninfo(), autocommit=True) as service,
    ):
        ids = {name: _sign_up(auth, name, report) for name in PEOPLE}
        for name, titles in TODOS.items():
            actor = _Actor(service, name, ids[name], key, report)
            for title in titles:
                actor.sends("insert into app.todos (title) values (%s)", [title], "1 row")
        for name, other in (("Alice", "Bob"), ("Bob", "Alice")):
            actor = _Actor(service, name, ids[name], key, report)
            actor.sends("select title from app.todos", [], ", ".join(TODOS[name]))
            actor.reaches_for(ids[other])
        _Actor(service, "Nobody", None, key, report).sends("select title from app.todos", [], "no rows")
    return ids


def _sign_up(auth: psycopg.Connection, name: str, report: Callable[[Step], None]) -> UUID:
    auth.execute("delete from app.users where email = %s", [PEOPLE[name]])
    query: LiteralString = "insert into app.users (name, email) values (%s, %s) returning id"
    row = auth.execute(query, [name, PEOPLE[name]]).fetchone()
    if row is None:
        raise LookupError(name)
    report(Step("sign-up", _shown(query, [name, PEOPLE[name]]), str(row[0]), right=True))
    return UUID(str(row[0]))


@dataclass(frozen=True)
class _Actor:
    """Someone whose statements go to the service's connection, each in a transaction that carries their identity."""

    connection: psycopg.Connection
    name: str
    user_id: UUID | None
    key: SealKey | None
    report: Callable[[Step], None]

    def reaches_for(self, other: UUID) -> None:
        """Try every way to the other user's rows."""
        self.sends("select title from app.todos where owner_id = %s", [other], "no rows")
        self.sends("update app.todos set title = 'mine now' where owner_id = %s", [other], "0 rows")
        self.sends("delete from app.todos where owner_id = %s", [other], "0 rows")
        denied = "permission denied for table todos"
        self.sends("insert into app.todos (owner_id, title) values (%s, 'planted')", [other], denied)
        self.sends("update app.todos set owner_id = %s", [other], denied)
        self.sends("select name from app.users where id = %s", [other], "no rows")

    def sends(self, query: LiteralString, values: list[object], expected: str) -> None:
        """Send one statement, commit, and report the answer beside what it should be."""
        try:
            with self.connection.transaction():
                if self.user_id is not None:
                    self.connection.execute("select app.set_user_id(%s, %s)", credentials(self.user_id, self.key))
                cursor = self.connection.execute(query, values)
                answer = _answer(cursor)
        except psycopg.Error as error:
            answer = error.diag.message_primary or str(error)
        self.report(Step(self.name, _shown(query, values), answer, answer == expected))


def _answer(cursor: psycopg.Cursor[tuple[object, ...]]) -> str:
    if cursor.description:
        return ", ".join(str(row[0]) for row in cursor) or "no rows"
    return "1 row" if cursor.rowcount == 1 else f"{cursor.rowcount} rows"


def _shown(query: str, values: list[object]) -> str:
    """Put values into a statement for the eye alone; to the server they go as bound parameters."""
    return query % tuple(f"'{value}'" for value in values)
