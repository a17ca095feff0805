"""Sample users and what is theirs: the same for the same seed, written through both logins as real ones are."""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from uuid import UUID

from userscope import pyproject
from userscope.accounts import Accounts
from userscope.database import Database
from userscope.demo.own_tables import NoTable, OwnTables
from userscope.demo.sample_values import Person
from userscope.demo.words import FIRST, LAST, THINGS, VERBS
from userscope.models import Todo
from userscope.settings import Settings

_BASE = datetime(2026, 1, 1, 9, tzinfo=UTC)


class Sample:
    """``users`` with ``todos``, and ``rows`` in each table of a project's own; who is there already is replaced.

    Raises ConfigurationError where a server is not on this machine, and where there is no table to fill.
    """

    def __init__(self, settings: Settings, own: OwnTables, *, users: int, todos: int, rows: int, seed: int) -> None:
        self.settings, self.own, self.seed = settings, own, seed
        self.users, self.todos, self.rows = users, todos, rows
        self.with_accounts = pyproject.read().ours == "all"
        self.written = 0
        """Rows of own tables."""
        settings.require_local("sample-data")
        if not self.with_accounts and not own.tables:
            raise NoTable

    def write(self) -> Iterator[str]:
        """Write them, and yield each user's id once it is done."""
        with ExitStack() as stack:
            if self.with_accounts:
                accounts = stack.enter_context(Accounts(self.settings))
                database = stack.enter_context(Database(self.settings))
            for number in range(self.users):
                # Drawn for each user anew, so that more users or todos leave the others as they were.
                draw = random.Random(f"{self.seed}/{number}")  # noqa: S311  # nothing secret: the same every time
                user_id = _uuid(draw)
                first, last = draw.choice(FIRST), draw.choice(LAST)
                kind = self.settings.userscope_user_id
                person = Person.numbered(kind, self.seed, number, first, user_id)
                if self.own.tables:
                    self.own.clear(person)
                if self.with_accounts:
                    accounts.delete(user_id)
                    accounts.create(
                        f"{first}.{last}.{number}@seed-{self.seed}.example.com",
                        name=f"{first} {last}",
                        username=f"{first}_{self.seed}_{number}",
                        email_verified=draw.random() < 0.9,
                        id=user_id,
                    )
                    with database.session(user_id) as session:
                        session.add_all([_todo(draw) for _ in range(self.todos)])
                if self.own.tables:
                    self.written += self.own.fill(person, self.rows, str(self.seed))
                yield person.user_id


def _todo(draw: random.Random) -> Todo:
    thing = draw.choice(THINGS)
    return Todo(
        id=_uuid(draw),
        title=f"{draw.choice(VERBS)} the {thing}",
        description=f"The {thing} cannot wait." if draw.random() < 0.3 else None,
        completed=draw.random() < 0.4,
        due_at=_BASE + timedelta(hours=draw.randrange(24 * 365)) if draw.random() < 0.5 else None,
    )


def _uuid(draw: random.Random) -> UUID:
    return UUID(int=draw.getrandbits(128), version=4)
