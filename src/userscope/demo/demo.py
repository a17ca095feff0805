"""Two people sign up, add todos, and reach for each other's: what each sends, and what PostgreSQL answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from userscope.accounts import Accounts
from userscope.database import Database
from userscope.errors import IdentityError, UserscopeError
from userscope.identity import UserId
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
    settings.require_local("userscope demo")
    ids = sign_up(settings, report)
    with Database(settings) as database:
        for name, titles in TODOS.items():
            actor = Actor(database, name, ids[name], report)
            for title in titles:
                actor.sends("insert into app.todos (title) values (%s)", [title], "1 row")
        for name, other in (("Alice", "Bob"), ("Bob", "Alice")):
            actor = Actor(database, name, ids[name], report)
            actor.sends("select title from app.todos", [], ", ".join(TODOS[name]))
            actor.reaches_for(ids[other])
        nobody = Actor(database, "Nobody", None, report)
        nobody.sends("select title from app.todos", [], "not sent: no user id was given")
    return ids


def sign_up(settings: Settings, report: Callable[[Step], None]) -> dict[str, UUID]:
    """Make the two people, and return their ids."""
    with Accounts(settings) as accounts:
        return {name: _sign_up(accounts, name, report) for name in PEOPLE}


def _sign_up(accounts: Accounts, name: str, report: Callable[[Step], None]) -> UUID:
    if before := accounts.find(PEOPLE[name]):
        accounts.delete(before.id)
    user_id = accounts.create(PEOPLE[name], name=name).id
    query = "insert into app.users (name, email) values (%s, %s) returning id"
    report(Step("sign-up", _shown(query, [name, PEOPLE[name]]), str(user_id), right=True))
    return user_id


@dataclass(frozen=True)
class Actor:
    """Someone whose statements are each a session of the service that acts for them."""

    database: Database
    name: str
    user_id: UserId | None
    report: Callable[[Step], None]

    def reaches_for(self, other: UUID) -> None:
        """Try every way to the other user's rows."""
        self.sends("select title from app.todos where owner_id = %s", [other], "no rows")
        self.sends("update app.todos set title = 'mine now' where owner_id = %s", [other], "0 rows")
        self.sends("delete from app.todos where owner_id = %s", [other], "0 rows")
        denied = "permission denied for table todos"
        self.sends("insert into app.todos (owner_id, title) values (%s, 'planted')", [other], denied)
        self.sends("update app.todos set owner_id = %s", [other], denied)
        self.sends("select name from app.account where id = %s", [other], "no rows")

    def sends(self, query: str, values: list[Any], *expected: str, counted: bool = False) -> None:
        """Send one statement, commit, and report the answer beside what it should be; rows are ``counted``, or told."""
        try:
            with self.database.session(self.user_id) as session:
                text = query if values else query.replace("%", "%%")
                result = session.connection().exec_driver_sql(text, tuple(values))
                if result.returns_rows and counted:
                    answer = f"{len(result.all())} rows"
                elif result.returns_rows:
                    answer = ", ".join(str(row[0]) for row in result) or "no rows"
                else:
                    answer = "1 row" if result.rowcount == 1 else f"{result.rowcount} rows"
        except IdentityError as error:
            answer = f"not sent: {error.message}"
        except UserscopeError as error:
            answer = error.message
        self.report(Step(self.name, _shown(query, values), answer, answer in expected))


def _shown(query: str, values: list[Any]) -> str:
    """Put values into a statement for the eye alone; to the server they go as bound parameters."""
    return query if not values else query % tuple(f"'{value}'" for value in values)
