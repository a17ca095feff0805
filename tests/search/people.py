"""Who and what is in the two worlds, and the kinds of difference between them.

Numbers, lengths and pages are the same in both: totals over all users are told, and are not what is searched for.
"""

import hashlib
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime, timedelta

ZOE = "11111111-0000-4000-8000-000000000005"
ALICE = "aaaaaaaa-0000-4000-8000-000000000001"
BOB = "bbbbbbbb-0000-4000-8000-000000000002"
CAROL = "cccccccc-0000-4000-8000-000000000003"
GHOST = "dddddddd-0000-4000-8000-000000000004"
"""Somebody who has an account in the one world; in the other it is somebody else, under another id and address."""
SPOOK = "eeeeeeee-0000-4000-8000-000000000004"

CANARY = "kxqz"
"""In every text of others that no statement names: an answer that holds it holds a value of theirs."""
CANARY_YEAR = 2471
"""The same for times."""
START = datetime(2031, 1, 1, tzinfo=UTC)


def uuid_of(text: str) -> str:
    """A uuid that only who knows the text can name."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


FILLERS = [uuid_of(f"filler {number}") for number in range(8)]


@dataclass(frozen=True)
class Person:
    """A row of app.users."""

    id: str
    name: str
    email: str
    username: str | None
    created_at: datetime = START


@dataclass(frozen=True)
class Row:
    """A row of a table with the columns of app.todos. One of description and due_at is null: all are as long."""

    owner_id: str
    id: str
    title: str
    description: str | None
    completed: bool
    due_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class Content:
    """What one world holds."""

    people: tuple[Person, ...]
    rows: tuple[Row, ...]


def content(others: int) -> Content:
    """The first world: a dozen rows of Alice's, among ``others`` rows of everybody else."""
    people = [
        Person(ZOE, "Zoe Early", "aaron@example.com", "aaa"),
        Person(ALICE, "Alice Plainly", "alice@example.com", "alice"),
        Person(BOB, "Bob Secretly", "bob@example.com", "bob"),
        Person(CAROL, f"Carol {CANARY}", f"carol.{CANARY}@example.com", f"c.{CANARY}"),
        Person(GHOST, "Ghost", "ghost@example.com", "ghost"),
        *(
            Person(filler, f"Filler {CANARY}", f"{number}{CANARY}@example.com", None)
            for number, filler in enumerate(FILLERS)
        ),
    ]
    owners = [BOB, BOB, BOB, CAROL, ZOE, *FILLERS[:3]]
    rows = [_row(owners[number % len(owners)], number) for number in range(others)]
    mine = [_row(ALICE, number) for number in range(12)]
    middle = len(rows) // 2
    return Content(tuple(people), (*mine[:6], *rows[:middle], *mine[6:], *rows[middle:]))


def _row(owner: str, number: int) -> Row:
    """Every third of Bob's has values that statements name, the others hold the canary."""
    named, even = owner == ALICE or (owner == BOB and number % 3 == 0), number % 2 == 0
    start = START if named else START.replace(year=CANARY_YEAR)
    who = "ali plan" if owner == ALICE else "bob plan" if named else f"b {CANARY} p"
    return Row(
        owner_id=owner,
        id=uuid_of(f"{owner} {number}"),
        title=f"{who} {number:04}",
        description=None if even else f"why {number:03}" if named else f"{CANARY}{number:03}",
        completed=number % 4 < 2,
        due_at=start + timedelta(days=number) if even else None,
        created_at=start + timedelta(hours=number),
    )


type Difference = Callable[[Content], Content]


def _each(change: Callable[[Row], Row]) -> Difference:
    def changed(before: Content) -> Content:
        return replace(before, rows=tuple(row if row.owner_id == ALICE else change(row) for row in before.rows))

    return changed


def _values(row: Row) -> Row:
    """Other words, times and nulls of the same length."""
    word = CANARY if CANARY in row.title else "new"
    return replace(
        row,
        title=row.title.replace("bob plan", "bad plan").replace(f"b {CANARY}", f"y {CANARY}"),
        description=f"{word}{row.title[-7 + len(word) :]}" if row.description is None else None,
        completed=not row.completed,
        due_at=row.created_at + timedelta(days=40) if row.due_at is None else None,
        created_at=row.created_at + timedelta(minutes=30),
    )


def _swapped(one: str, other: str) -> Callable[[Row], Row]:
    def swap(row: Row) -> Row:
        return replace(row, owner_id={one: other, other: one}.get(row.owner_id, row.owner_id))

    return swap


def _accounts(before: Content) -> Content:
    """The ghost is somebody else, and others have other addresses and names; some sort on the other side of Alice's."""
    words = {"bob": "bib", "aa": "zz", "carol": "cecil", "zoe": "zac"}

    def renamed(person: Person) -> Person:
        if person.id == GHOST:
            return Person(SPOOK, "Spook", "spook@example.com", "spook")
        if person.id == ALICE:
            return person
        name, email, username = person.name.lower(), person.email, person.username
        for word, other in words.items():
            name, email = name.replace(word, other), email.replace(word, other)
            username = username and username.replace(word, other)
        return Person(person.id, name, email, username)

    return replace(before, people=tuple(map(renamed, before.people)))


def _together(*changes: Difference) -> Difference:
    def changed(before: Content) -> Content:
        for change in changes:
            before = change(before)
        return before

    return changed


DIFFERENCES: dict[str, Difference] = {
    "values": _each(_values),
    "owners": _each(_swapped(BOB, CAROL)),
    "ids": _each(lambda row: replace(row, id=uuid_of(f"other {row.id}"))),
    "accounts": _accounts,
}
DIFFERENCES["everything"] = _together(*DIFFERENCES.values())
"""What the second world is, given the first."""


def columns(record: Person | Row) -> tuple[object, ...]:
    """Its values, in the order of its fields; then when it was last changed, which is when it was made."""
    return (*astuple(record), record.created_at)
