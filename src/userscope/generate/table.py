"""A table whose rows each belong to one user: two changes, with their six scripts, and a test."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from userscope.errors import ConfigurationError, ScriptError
from userscope.generate import fence, mapping
from userscope.generate.columns import ACTING, NAME, SPELT, Column
from userscope.generate.parent import NONE, Parent, Reference
from userscope.generate.text import Text
from userscope.identity import Kind
from userscope.migrations import script
from userscope.migrations.projects import KINDS

type _Line = tuple[str, str, str]
"""A column: its name, its type, and what stands behind that."""

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
    def distributed(self) -> tuple[str, ...]:
        """What ``app_private.distribute`` is to be called with: a fenced table is whole on every node."""
        name = f"{self._home}.{self.name}"
        return (name,) if self.fenced else (name, self._key)

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
        return Text.read(f"{self._tests}test.py.txt").substitute(self._words("schema", "policies"))

    _tests: ClassVar[str] = ""
    """What the names of its tests' templates begin with."""
    _key: ClassVar[str] = "owner_id"
    """The column that says whose a row is."""
    _made_by: ClassVar[Sequence[_Line]] = ()
    """Columns that the database fills in, beside the key and the times."""

    @property
    def _home(self) -> str:
        return "app_fenced" if self.fenced else "app"

    @property
    def _acting(self) -> tuple[str, str]:
        """Whom the key is compared with."""
        return ACTING[self.owner]

    def _words(self, schema: str, policies: str) -> dict[str, str]:
        plain = self._plain_words(schema, policies)
        if self.fenced:
            return fence.words(self.name, self.columns, plain, tests=self._tests)
        return fence.no_words(plain, tests=self._tests)

    def _plain_words(self, schema: str, policies: str) -> dict[str, str]:
        schemas, helpers = ("", "") if schema == "schema" else ("schema:", "policies:")
        me, me_seen = self._acting
        before, after = self._kept(me)
        lines = [*before, *((c.name, c.type, c.rules(self.name)) for c in self.columns), *after]
        every, written = [name for name, _, _ in lines], [column.name for column in self.columns]
        width, kinds = (max(len(line[part]) for line in lines) for part in (0, 1))
        belongs = self._belongs()
        owner, kind, rules = lines[0]
        if belongs["references"]:
            lines[0] = owner, kind, f"{rules}\n{' ' * (width + kinds + 6)}{belongs['references']}"
        return {
            "table": self.name,
            "one": self.one,
            "a_one": _article(self.one),
            "A_one": _article(self.one).capitalize(),
            "many": self.many,
            "schema": schema,
            "policies": policies,
            "requires": "".join(f"-- requires: {schemas}{change}\n" for change in self.needed),
            "requires_policies": "".join(f"-- requires: {helpers}{change}\n" for change in self.needed_policies),
            "key": self._key,
            "me": me,
            "me_seen": me_seen,
            **(self.parent.words(self.name, self._home, _parent_column(self.parent)) if self.parent else NONE),
            "columns": "".join(
                f"{f'    {name:<{width}} {kind:<{kinds}} {rules}'.rstrip()},\n" for name, kind, rules in lines
            ),
            "statistics": ",\n".join(f"    alter {name:<{width}} set statistics 0" for name in every),
            "checks": "".join(
                f"comment on constraint {c.constraint(self.name)} on {self._home}.{self.name} is "
                f"'The {c.name.replace('_', ' ')} of {_article(self.one)} has at most {c.length} characters.';\n"
                for c in self.columns
                if c.length
            ),
            "facts": "\n".join(f"    {fact}" for fact in self._facts(me_seen.partition(" AS ")[0])),
            "every": ", ".join(every),
            "written": ", ".join(written),
            "values": ", ".join(column.value for column in self.columns),
            "changed": written[0],
            "value": self.columns[0].value,
            **belongs,
        }

    def _kept(self, me: str) -> tuple[list[_Line], list[_Line]]:
        """The columns that the database fills in, before and behind those that are written."""
        now = ("timestamptz", "not null default now()")
        key: _Line = (self._key, self.owner, f"not null default {me}")
        before = [key, ("id", "uuid", "not null default gen_random_uuid()")]
        return before, [*self._made_by, ("created_at", *now), ("updated_at", *now)]

    def _belongs(self) -> dict[str, str]:
        """Say whom its rows belong to."""
        known = {
            "whose": "user",
            "Own": "One''s own",
            "writers": "their owner",
            "still": "",
            "Owned": _OWNED[self.owner],
            "You_have": "You already have",
            "made_by": "",
            "kept": "owner_id is the database's to set",
            "me_deletes": self._acting[0],
            "me_deletes_seen": self._acting[1],
            "selects": f"A user sees their own {self.many}",
            "inserts": f"A user adds {self.many} in their own name",
            "updates": f"A user edits their own {self.many}, and cannot give one away",
            "deletes": f"A user deletes their own {self.many}",
        }
        if not self.users:
            unknown = ("references", "goes", "owner_comment", "owner_fact", "goes_test")
            return known | dict.fromkeys(unknown, "") | {"two_users": "userscope.user_id(), userscope.user_id()"}
        return known | {
            **self._references("users", f"The user who owns this {self.one} does not exist."),
            "goes": ", and goes when that user goes",
            "goes_test": Text.read("goes.py.txt").substitute({}),
            "two_users": 'userscope.user("Alice").id, userscope.user("Bob").id',
        }

    def _references(self, owners: str, missing: str) -> dict[str, str]:
        """Say that its key is one of ``owners``, a table of ours; ``missing`` is what is told where it is none."""
        key = f"{self.name}_{self._key}_fkey"
        return {
            "references": f"constraint {key} references app.{owners} on delete cascade",
            "owner_comment": f"comment on constraint {key} on {self._home}.{self.name} is '{missing}';\n",
            "owner_fact": f"    constraint {key} FOREIGN KEY ({self._key}) REFERENCES app.{owners}(id) "
            "ON DELETE CASCADE\n",
        }

    def _facts(self, me: str) -> list[str]:
        """What the table's verification finds of its columns."""
        before, after = (
            [f"column {name} {SPELT.get(kind, kind)} {rules} statistics 0" for name, kind, rules in kept]
            for kept in self._kept(me)
        )
        return [*before, *(fact for column in self.columns for fact in column.facts(self.name)), *after]


def _singular(name: str) -> str:
    words = name.replace("_", " ")
    if words.endswith("ies"):
        return words[:-3] + "y"
    return words.removesuffix("s") or words


def _parent_column(parent: Parent) -> str:
    return f"{_singular(parent.name).replace(' ', '_')}_id"


def _article(one: str) -> str:
    return f"{'an' if one[0] in 'aeiou' else 'a'} {one}"
