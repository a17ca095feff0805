"""A table whose rows each belong to one user: two changes, with their six scripts, and a test."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from userscope.errors import ConfigurationError, ScriptError
from userscope.generate import fence, mapping
from userscope.generate.columns import NAME, Column
from userscope.generate.parent import NONE, Parent, Reference
from userscope.generate.text import Text
from userscope.identity import Kind
from userscope.migrations import script
from userscope.migrations.projects import KINDS

# Who acts, as a policy asks for it, and as PostgreSQL shows it in one.
_ME: dict[Kind, tuple[str, str]] = {
    "uuid": ("app.current_user_id()", "app.current_user_id() AS current_user_id"),
    "bigint": ("app.current_user_key()::bigint", "(app.current_user_key())::bigint AS current_user_key"),
    "text": ("app.current_user_key()", "app.current_user_key() AS current_user_key"),
}
_OWNED: dict[Kind, str] = {"uuid": "Owned", "bigint": "BigintOwned", "text": "TextOwned"}


@dataclass(frozen=True)
class Table:
    """A table to be. ``one`` is what a row is called, in words: ``note``.

    ``owner``: what users are known by. ``users``: whether they are rows of app.users, which its rows go with.
    ``parent``: the table that each row belongs to a row of.
    """

    name: str
    columns: Sequence[Column]
    one: str
    fenced: bool = False
    owner: Kind = "uuid"
    users: bool = True
    parent: Parent | None = None

    @classmethod
    def of(
        cls,
        name: str,
        columns: Sequence[str],
        one: str | None = None,
        *,
        fenced: bool = False,
        owner: Kind = "uuid",
        users: bool = True,
        parent: Parent | None = None,
    ) -> "Table":
        """Check what is asked for. Raises ConfigurationError."""
        if users and owner != "uuid":
            raise ConfigurationError(
                f"rows cannot belong to a {owner} while users are those of app.users",
                detail="That table knows users by uuids.",
                hint='Write ours = "core" in [tool.userscope] of pyproject.toml, where users are your own.',
            )
        if not NAME.fullmatch(name):
            raise ConfigurationError(
                f'"{name}" is no name for a table',
                detail="It has up to 40 characters of a-z, 0-9 and _, and begins with a letter.",
                hint='Tables are named in the plural: "notes".',
            )
        if one is not None and not re.fullmatch(r"[a-z][a-z0-9 -]*", one):
            raise ConfigurationError(
                f'"{one}" cannot stand in a sentence', hint='Say what one row is, in lower case: "note".'
            )
        if fenced:
            fence.refuse_incomparable(columns)
        parsed = [Column.parse(column) for column in columns or ["body:text"]]
        if parent:
            parsed.append(Reference(_parent_column(parent), "uuid"))
        table = cls(name, parsed, one or _singular(name), fenced, owner, users, parent)
        names = [column.name for column in table.columns]
        mapping.refuse_taken(table.one, names)
        for column in names:
            if names.count(column) > 1:
                raise ConfigurationError(f'two columns are named "{column}"')
        for word in (name, *names):
            try:
                # What is neither a column here nor a function there is quoted by PostgreSQL when it is asked.
                list(
                    script.split(f"grant select ({word}) on app.{word} to app_user; drop function {word}()", Path(name))
                )
            except ScriptError:
                raise ConfigurationError(
                    f'"{word}" is a word that PostgreSQL keeps for itself', hint="Choose one that needs no quotes."
                ) from None
        return table

    @property
    def many(self) -> str:
        """What its rows are called, in words."""
        return self.name.replace("_", " ")

    @property
    def whose(self) -> str:
        """Whose its rows are, for the plan's note."""
        return f"each owned by one user{', behind a fence' if self.fenced else ''}"

    @property
    def who(self) -> str:
        """Who reaches them, for the plan's note."""
        return f"A user reaches their own {self.many}"

    @property
    def needed(self) -> tuple[str, ...]:
        """The changes of our project schema that it stands on."""
        return ("identity", "users") if self.users else ("identity",)

    @property
    def needed_policies(self) -> tuple[str, ...]:
        """The changes of our project policies that its policies stand on."""
        return ("access",)

    def scripts(self, schema: str, policies: str) -> dict[tuple[str, str], str]:
        """Return the text of each script, by project and kind; the arguments are the projects' names."""
        words = self._words(schema, policies)
        return {
            (project, kind): Text.read(f"{part}.{kind}.sql").substitute(words)
            for part, project in (("schema", schema), ("policies", policies))
            for kind in KINDS
        }

    def mapping(self) -> str:
        """Return the module of its class, and of what clients send and see."""
        return mapping.text(self.columns, self._words("schema", "policies"), fenced=self.fenced)

    def test(self) -> str:
        """Return a test that notices every hole in the policies."""
        return Text.read("test.py.txt").substitute(self._words("schema", "policies"))

    _tests: ClassVar[str] = ""
    """What the names of its tests' templates begin with."""

    def _words(self, schema: str, policies: str) -> dict[str, str]:
        plain = self._plain_words(schema, policies)
        if self.fenced:
            return fence.words(self.name, self.columns, plain, tests=self._tests)
        return fence.no_words(plain, tests=self._tests)

    def _plain_words(self, schema: str, policies: str) -> dict[str, str]:
        written = [column.name for column in self.columns]
        every = ["owner_id", "id", *written, "created_at", "updated_at"]
        kinds = max(len(column.type) for column in (*self.columns, Column("", "timestamptz")))
        width = max(map(len, every))
        schemas, helpers = ("", "") if schema == "schema" else ("schema:", "policies:")

        home = "app_fenced" if self.fenced else "app"

        return {
            "key": "owner_id",
            "whose": "user",
            "Own": "One''s own",
            "writers": "their owner",
            "still": "",
            "table": self.name,
            "one": self.one,
            "a_one": _article(self.one),
            "A_one": _article(self.one).capitalize(),
            "many": self.many,
            "schema": schema,
            "identity": f"{schemas}identity",
            **(self.parent.words(self.name, home, _parent_column(self.parent)) if self.parent else NONE),
            **self._owner(f"{schemas}users", home, " " * (width + kinds + 6)),
            "policies": policies,
            "access": f"{helpers}access",
            "owner": line("owner_id", self.owner, f"not null default {_ME[self.owner][0]}", width, kinds),
            "id": line("id", "uuid", "not null default gen_random_uuid(),", width, kinds),
            "columns": "\n".join(line(c.name, c.type, c.rules(self.name), width, kinds) + "," for c in self.columns),
            "created_at": line("created_at", "timestamptz", "not null default now(),", width, kinds),
            "updated_at": line("updated_at", "timestamptz", "not null default now(),", width, kinds),
            "statistics": ",\n".join(f"    alter {name:<{width}} set statistics 0" for name in every),
            "checks": "".join(
                f"comment on constraint {c.constraint(self.name)} on {home}.{self.name} is "
                f"'The {c.name.replace('_', ' ')} of {_article(self.one)} has at most {c.length} characters.';\n"
                for c in self.columns
                if c.length
            ),
            "facts": "\n".join(f"    {fact}" for fact in self._facts()),
            "every": ", ".join(every),
            "written": ", ".join(written),
            "values": ", ".join(column.value for column in self.columns),
            "changed": written[0],
            "value": self.columns[0].value,
        }

    def _owner(self, change: str, home: str, indent: str) -> dict[str, str]:
        """Say whom its rows belong to; ``change`` is the one that makes app.users."""
        me, me_seen = _ME[self.owner]
        known = {"me": me, "me_seen": me_seen, "Owned": _OWNED[self.owner]}
        if not self.users:
            unknown = ("requires_users", "references", "goes", "owner_comment", "owner_fact", "goes_test")
            return known | dict.fromkeys(unknown, "") | {"two_users": "userscope.user_id(), userscope.user_id()"}
        key = f"{self.name}_owner_id_fkey"
        return known | {
            "requires_users": f"-- requires: {change}\n",
            "references": f"\n{indent}constraint {key} references app.users on delete cascade",
            "goes": ", and goes when that user goes",
            "owner_comment": f"comment on constraint {key} on {home}.{self.name} is "
            f"'The user who owns this {self.one} does not exist.';\n",
            "owner_fact": f"    constraint {key} FOREIGN KEY (owner_id) REFERENCES app.users(id) ON DELETE CASCADE\n",
            "goes_test": Text.read("goes.py.txt").substitute({}),
            "two_users": 'userscope.user("Alice").id, userscope.user("Bob").id',
        }

    def _facts(self) -> list[str]:
        """What the table's verification finds of its columns."""
        me = _ME[self.owner][1].partition(" AS ")[0]
        time = "timestamp with time zone not null default now() statistics 0"
        return [
            f"column owner_id {self.owner} not null default {me} statistics 0",
            "column id uuid not null default gen_random_uuid() statistics 0",
            *(fact for column in self.columns for fact in column.facts(self.name)),
            f"column created_at {time}",
            f"column updated_at {time}",
        ]


def line(name: str, kind: str, rules: str, width: int, kinds: int) -> str:
    """Return the line of a column, which names and types of such widths stand in."""
    return f"    {name:<{width}} {kind:<{kinds}} {rules}".rstrip()


def _singular(name: str) -> str:
    words = name.replace("_", " ")
    if words.endswith("ies"):
        return words[:-3] + "y"
    return words.removesuffix("s") or words


def _parent_column(parent: Parent) -> str:
    return f"{_singular(parent.name).replace(' ', '_')}_id"


def _article(one: str) -> str:
    return f"{'an' if one[0] in 'aeiou' else 'a'} {one}"
