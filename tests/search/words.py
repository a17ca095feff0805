"""What statements are made of: tables and their columns, values worth a guess, and the server's own operators."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from random import Random

from tests.clusters import Connection
from tests.search.people import (
    ALICE,
    BOB,
    CANARY,
    CAROL,
    DIFFERENCES,
    GHOST,
    SPOOK,
    ZOE,
    Content,
    content,
)

TIME = "timestamp with time zone"


@dataclass(frozen=True)
class Table:
    """A table or view that Alice may reach: its columns by type, and what she may write there."""

    name: str
    columns: dict[str, str]
    updates: tuple[str, ...]
    inserts: tuple[str, ...] = ()
    fenced: bool = True
    functions: tuple[str, ...] = ()
    """Calls that answer rows of it, to read from in its place; ``{id}``, ``{owner_id}`` and ``{created_at}`` stand for values."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(self.columns)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that its index begins with."""
        return self.names[:2]


_COLUMNS = {
    "owner_id": "uuid", "id": "uuid", "title": "text", "description": "text", "completed": "boolean",
    "due_at": TIME, "created_at": TIME, "updated_at": TIME,
}  # fmt: skip
_WRITES = ("title", "description", "completed", "due_at")
_ACCOUNT = {
    "id": "uuid", "email": "text", "name": "text", "email_verified": "boolean", "image": "text", "username": "text",
    "display_username": "text", "created_at": TIME, "updated_at": TIME,
}  # fmt: skip

SECRETS = Table(
    "app.secrets",
    _COLUMNS,
    _WRITES,
    ("id", *_WRITES),
    functions=(
        "app.secrets_by_id({id})",
        "app.secrets_page(3)",
        "app.secrets_page(20, {created_at})",
        "app.secrets_page(1, {created_at}, {id})",
    ),
)
ACCOUNT = Table("app.account", _ACCOUNT, ("name", "image"))
TODOS = Table("app.todos", _COLUMNS, _WRITES, ("id", *_WRITES), fenced=False)

_LIST = {"owner_id": "uuid", "id": "uuid", "name": "text", "created_at": TIME, "updated_at": TIME}
LISTS = Table("app.lists", _LIST, ("name",), ("id", "name"), fenced=False)
SHARED = Table(
    "app.shared_lists()",
    _LIST,
    (),
    functions=(
        f"app.rename_shared_list('{BOB}', {{id}}, 'new')",
        "(select reader as owner_id, {id} as id, null::text as name, {created_at} as created_at, {created_at} as updated_at"
        " from app.list_readers({id}) as reader)",
        f"(select {{owner_id}} as owner_id, {{id}} as id, done::text as name, {{created_at}} as created_at, {{created_at}} as "
        f"updated_at from app.unshare_list('{BOB}', {{id}}, {{owner_id}}) as done)",
    ),
)
"""What docs/sharing.md adds: lists, and functions that answer for who shares them."""

_FIXED = {
    "uuid": (ALICE, BOB, CAROL, ZOE, GHOST, SPOOK, "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
             "bbbbbbbb-0000-4000-8000-000000000000", "bbbbbbbb-ffff-4000-8000-000000000000"),
    "text": ("", "a", "ali", "alice@example.com", "b", "bo", "bob", "bob ", "bad", "boc", "bob plan", "bob@example.com", "bib@example.com",
             "c", "cecil", "m", "y", "z", "ghost", "spook", "ghost@example.com", "spook@example.com", "Bob Secretly", "why", "new",
             "\U0001f600", "é"),
    "boolean": ("true", "false"),
    TIME: ("-infinity", "infinity", "2031-01-01 00:00Z", "2031-01-02 00:00Z", "2031-01-20 00:00Z", "2100-01-01 00:00Z",
           "2470-12-31 00:00Z", "2472-01-01 00:00Z"),
    "timestamp without time zone": ("2031-01-02 00:00", "2031-02-01 00:00", "2300-01-01 00:00"),
    "date": ("2031-01-02", "2031-02-01", "2300-01-01"),
    "integer": ("0", "1", "3", "12", "-1"),
    "bigint": ("0", "1", "12"),
    "jsonb": ('{"a": 1}', '{"bob plan 0000": 1}', "[1, 2]", "null"),
}  # fmt: skip
_LIKE = {"name": "text", "character": "text", "character varying": "text", '"char"': "text", "regconfig": ""}
_OPERATORS = """
select oprname, oprleft::regtype::text, oprright::regtype::text
  from pg_operator join pg_proc on pg_proc.oid = oprcode
 where oprresult = 'boolean'::regtype and oprleft <> 0 and oprright <> 0
   and (oprleft::regtype::text = any (%(ours)s) or oprright::regtype::text = any (%(ours)s))
   and oprleft::regtype::text = any (%(known)s) and oprright::regtype::text = any (%(known)s)
   and proleakproof = %(leakproof)s
 order by 1, 2, 3
"""
_FUNCTIONS = """
select proname, pg_proc.proargtypes::regtype[]::text[], prorettype::regtype::text
  from pg_proc
 where prokind = 'f' and proleakproof and pronargs between 1 and 2 and not proretset
   and prorettype::regtype::text = any (%(known)s) and proargtypes::regtype[]::text[] <@ %(known)s::text[]
   and proargtypes::regtype[]::text[] && %(ours)s::text[]
 order by 1, 2
"""
_SETTINGS = """
select name, vartype, min_val, max_val, enumvals, boot_val
  from pg_settings
 where context = 'user' and name <> 'jit'
   and (category like 'Query Tuning / %' or name ~ 'parallel|^work_mem$|^hash_mem_multiplier$|^row_security$')
   and name !~ '^(seed|geqo_seed|default_statistics_target|jit_)'
 order by 1
"""


@dataclass(frozen=True)
class Setting:
    """A setting that a session may change for itself."""

    name: str
    kind: str
    least: float
    most: float
    words: tuple[str, ...]

    def value(self, chance: Random) -> str:
        """One of its values, more often an extreme one; switches are mostly turned off."""
        if self.kind == "bool":
            return chance.choice(("off", "off", "on"))
        if self.kind == "enum":
            return chance.choice(self.words)
        most = min(self.most, 1e6 if self.kind == "real" else 1000)
        value = chance.choice((self.least, most, self.least + 1, chance.uniform(self.least, most)))
        return str(int(value)) if self.kind == "integer" else str(value)


@dataclass(frozen=True)
class Words:
    """What one server version offers, and what is worth a guess in these worlds."""

    operators: dict[str, list[tuple[str, str, str]]]
    leaky: dict[str, list[tuple[str, str, str]]]
    functions: list[tuple[str, list[str], str]]
    settings: list[Setting]
    values: dict[str, tuple[str, ...]]
    needles: dict[str, tuple[str, ...]]
    version: int

    @classmethod
    def of(cls, connection: Connection, others: int) -> "Words":
        """Ask a server."""
        first = content(others)
        worlds = [first, DIFFERENCES["everything"](first), DIFFERENCES["ids"](first)]
        values = _values(worlds)
        known = {"ours": ["uuid", "text", "boolean", TIME], "known": [*values, *filter(None, _LIKE)]}

        def operators(leakproof: bool) -> dict[str, list[tuple[str, str, str]]]:
            rows = connection.execute(_OPERATORS, {**known, "leakproof": leakproof}).fetchall()
            return {ours: [row for row in rows if ours in row[1:]] for ours in known["ours"]}

        settings = [
            Setting(name, kind, float(least or 0), float(most or 0), tuple(words or ()))
            for name, kind, least, most, words, _ in connection.execute(_SETTINGS.encode())
        ]
        return cls(
            operators=operators(True),
            leaky=operators(False),
            functions=list(connection.execute(_FUNCTIONS, known)),
            settings=settings,
            values=values,
            needles=_needles(worlds),
            version=connection.info.server_version // 10000,
        )

    def literal(self, chance: Random, kind: str) -> str:
        """A value of a type, as SQL."""
        values = self.values[_LIKE.get(kind) or kind]
        value = chance.choice(values)
        if kind in ("integer", "bigint"):
            return f"({value})"
        if kind == "boolean" and chance.random() < 0.7:
            return value
        return quoted(value) + ("" if chance.random() < 0.3 and kind in ("uuid", "text", TIME) else f"::{kind}")


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _values(worlds: Iterable[Content]) -> dict[str, tuple[str, ...]]:
    """What an attacker may have guessed: Bob's named rows as they are in either world, never one with a canary."""
    ids, titles, times = [], [], []
    for world in worlds:
        bobs = [row for row in world.rows if row.title.startswith(("bob", "bad"))][:4]
        mine = [row for row in world.rows if row.owner_id == ALICE][:3]
        for row in (*bobs, *mine):
            ids.append(row.id)
            titles += [row.title, row.title[:-1], row.title[:-1] + chr(ord(row.title[-1]) + 1)]
            times += [time.isoformat() for time in (row.due_at, row.created_at) if time]
    more = {"uuid": ids, "text": titles, TIME: times}
    return {kind: tuple(dict.fromkeys([*values, *more.get(kind, [])])) for kind, values in _FIXED.items()}


def _needles(worlds: Iterable[Content]) -> dict[str, tuple[str, ...]]:
    """By column: what is in one of the worlds and not in every other, of others' rows that may be named."""
    found: dict[str, set[str]] = {}
    for world in worlds:
        rows = [row for row in world.rows if row.title.startswith(("bob", "bad"))][:6]
        people = [person for person in world.people if person.id != ALICE and CANARY not in person.email]
        for record in (*rows, *people):
            for column, value in vars(record).items():
                found.setdefault(column, set()).add(value.isoformat() if isinstance(value, datetime) else str(value))
        found["name"] |= {row.title for row in rows}  # lists are called so
    return {column: tuple(sorted(values - {"None"})) for column, values in found.items()}
