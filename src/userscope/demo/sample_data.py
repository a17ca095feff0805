"""Sample users and todos: the same for the same seed, written through both logins as real ones are."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from userscope.accounts import Accounts
from userscope.database import Database
from userscope.models import Todo
from userscope.settings import Settings

_FIRST = [
    "Ada", "Alan", "Barbara", "Chiara", "Dennis", "Edsger", "Frances", "Grace",
    "Hedy", "Ingrid", "Joan", "Katherine", "Lin", "Maryam", "Niklaus",
]  # fmt: skip
_LAST = [
    "Allen", "Borg", "Curie", "Dijkstra", "Easley", "Franklin", "Goodall",
    "Hopper", "Johnson", "Lamarr", "Noether", "Perlman", "Turing", "Wirth",
]  # fmt: skip
_VERBS = ("Bring back", "Buy", "Call about", "Clean", "Fix", "Look for", "Pay for", "Plan", "Sell", "Write about")
_THINGS = [
    "bike", "birthday", "cake", "books", "dentist", "garden", "invoice", "keys",
    "lamp", "letter", "milk", "piano", "roof", "tickets", "trip", "window",
]  # fmt: skip
_BASE = datetime(2026, 1, 1, 9, tzinfo=UTC)


def write(settings: Settings, *, users: int, todos: int, seed: int = 0) -> Iterator[UUID]:
    """Write users with todos, and yield each user's id once it is done; who is there already is replaced.

    Raises ConfigurationError where a server is not on this machine.
    """
    settings.require_local("sample-data")
    with Accounts(settings) as accounts, Database(settings) as database:
        for number in range(users):
            # Drawn for each user anew, so that more users or todos leave the others as they were.
            draw = random.Random(f"{seed}/{number}")  # noqa: S311  # nothing secret: the same every time, on purpose
            user_id = _uuid(draw)
            first, last = draw.choice(_FIRST), draw.choice(_LAST)
            accounts.delete(user_id)
            accounts.create(
                f"{first}.{last}.{number}@seed-{seed}.example.com",
                name=f"{first} {last}",
                username=f"{first}_{seed}_{number}",
                email_verified=draw.random() < 0.9,
                id=user_id,
            )
            with database.session(user_id) as session:
                session.add_all([_todo(draw) for _ in range(todos)])
            yield user_id


def _todo(draw: random.Random) -> Todo:
    thing = draw.choice(_THINGS)
    return Todo(
        id=_uuid(draw),
        title=f"{draw.choice(_VERBS)} the {thing}",
        description=f"The {thing} cannot wait." if draw.random() < 0.3 else None,
        completed=draw.random() < 0.4,
        due_at=_BASE + timedelta(hours=draw.randrange(24 * 365)) if draw.random() < 0.5 else None,
    )


def _uuid(draw: random.Random) -> UUID:
    return UUID(int=draw.getrandbits(128), version=4)
