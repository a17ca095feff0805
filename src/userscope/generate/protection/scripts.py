"""The scripts that protect a table: as Sqitch has them, two changes with three each."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from userscope.generate.live.table import Column, LiveTable
from userscope.generate.protection.ownership import Ownership
from userscope.generate.text import Text
from userscope.migrations.projects import KINDS
from userscope.postgres.sql import ident, literal

OWN = ("select_own", "insert_own", "update_own", "delete_own")
INDEXED = ("A user's own rows.", "An organization's own rows.")
"""What the index on the owner is called, by which the way back knows it."""
_MADE = ("app_user", "app_auth")
_COMMANDS = ("select", "insert", "update", "delete")


@dataclass(frozen=True)
class Protection:
    """A table and whose its rows are; ``every_row`` are roles that reach all of them.

    ``read_only`` are columns that an owner may not write; ``index`` is the name of the index that is to be made, if one
    is missing.
    """

    table: LiveTable
    ownership: Ownership
    read_only: Sequence[str] = ()
    every_row: Sequence[str] = ()
    index: str | None = None
    requires: Sequence[str] = ()
    """Changes of the policies' project that stand before this one: those of its parents."""

    @property
    def change(self) -> str:
        """What its changes are called."""
        return _change(self.table)

    @property
    def parents(self) -> list[str]:
        """What the changes of its parents are called, if they are planned."""
        return [_change(parent) for parent in self.ownership.parents]

    @property
    def written(self) -> list[Column]:
        """What app_user may write into a new row."""
        return [c for c in self._columns if not c.numbered and c.name not in self.read_only]

    @property
    def changed(self) -> list[Column]:
        """What app_user may change in a row: not its key, nor its owner."""
        kept = self.ownership.column.name if not self.ownership.parents else None
        return [c for c in self.written if not c.in_key and c.name != kept]

    @property
    def _columns(self) -> list[Column]:
        return list(self.table.columns.values())

    def scripts(self, schema: str, policies: str) -> dict[tuple[str, str], str]:
        """Return the text of each script, by project and kind; the arguments are the projects' names."""
        words = self._words(schema, policies)
        return {
            (project, kind): Text.read(f"protect.{part}.{kind}.sql").substitute(words)
            for part, project in (("schema", schema), ("policies", policies))
            for kind in KINDS
        }

    def _words(self, schema: str, policies: str) -> dict[str, str]:
        table, relation = self.table.name, self.table.relation
        helpers = ("", "") if schema == "schema" else ("schema:", "policies:")
        roles = ["app_user", *self.every_row]
        facts = [*self._table_facts(), *self._access_facts()]
        sequences = sorted({c.sequence for c in self._columns if c.sequence})
        return {
            "schema": schema,
            "policies": policies,
            "change": self.change,
            "identity": f"{helpers[0]}identity",
            "access": f"{helpers[1]}access",
            "parents": "".join(f"\n-- requires: {name}" for name in (*self.needed(helpers[1]), *self.requires)),
            "table": table,
            "literal": literal(table),
            "quote": _dollars([table, *facts]),
            "condition": self.ownership.condition,
            "statistics": self._statistics(dict.fromkeys(self.table.columns, 0)),
            "statistics_restored": self._statistics({c.name: c.statistics for c in self._columns}),
            "expressions": self._expressions(off=True),
            "expressions_restored": self._expressions(off=False),
            "index": self._index(),
            "index_dropped": f"drop index {relation.schema_ident}.{ident(self.index)};\n" if self.index else "",
            "flags_restored": self._flags(),
            "facts": _lines(self._table_facts()),
            "access_facts": _lines(self._access_facts()),
            **self._comments(),
            "roles": "".join(_role(role) for role in self.every_row if role not in _MADE),
            "revoked": f"\nrevoke all on {table} from public, app_user;\n" if relation.grants else "",
            "granted_again": "".join(f"{grant};\n" for grant in relation.grants),
            "grants": self._grants("app_user", self.written, self.changed, sequences),
            "grantees": ", ".join(map(ident, roles)),
            "every_row": "".join(self._every(role, sequences) for role in self.every_row),
            "sequences_revoked": "".join(
                f"revoke all on sequence {name} from {', '.join(map(ident, roles))};\n" for name in sequences
            ),
            "policies_dropped": "\n".join(
                f"drop policy {ident(name)} on {table};"
                for role in ("own", *map(_who, self.every_row))
                for name in (f"{command}_{role}" for command in _COMMANDS)
            ),
        }

    def needed(self, ours: str = "") -> list[str]:
        """What its policies stand on of our project, beside access; ``ours`` is what its changes are called by."""
        return [f"{ours}organizations"] if self.ownership.organization else []

    def _comments(self) -> dict[str, str]:
        """What the policies say of themselves."""
        if self.ownership.organization:
            rows, elsewhere = "the rows of the organization that they act in", "cannot move one to another organization"
            insert = f"A member adds to {rows}."
            who, update = "member", "moves one only to what is theirs" if self._through else elsewhere
        else:
            rows = "their own rows"
            insert = "A user adds rows " + ("to what is theirs." if self._through else "in their own name.")
            who, update = "user", "moves one only to what is theirs" if self._through else "cannot give one away"
        return {
            "select_comment": f"A {who} sees {rows}.",
            "insert_comment": insert,
            "update_comment": f"A {who} edits {rows}, and {update}.",
            "delete_comment": f"A {who} deletes {rows}.",
        }

    @property
    def _through(self) -> bool:
        return bool(self.ownership.parents)

    def _statistics(self, targets: dict[str, int]) -> str:
        width = max(len(c.ident) for c in self._columns)
        return ",\n".join(f"    alter {c.ident:<{width}} set statistics {targets[c.name]}" for c in self._columns)

    def _expressions(self, *, off: bool) -> str:
        return "".join(
            f"alter index {name} alter column {number} set statistics {0 if off else target};\n"
            for name, number, target in self.table.expressions
        )

    def _index(self) -> str:
        if not self.index:
            return ""
        relation, column = self.table.relation, self.ownership.column.ident
        comment = literal(INDEXED[self.ownership.organization])
        return (
            f"\ncreate index {ident(self.index)} on {self.table.name} ({column});\n"
            f"comment on index {relation.schema_ident}.{ident(self.index)} is {comment};\n"
        )

    def _flags(self) -> str:
        relation = self.table.relation
        words = [] if relation.forced else ["no force row level security"]
        words += [] if relation.enabled else ["disable row level security"]
        return f"alter table {self.table.name} {', '.join(words)};\n\n" if words else ""

    def _grants(self, role: str, written: list[Column], changed: list[Column], sequences: list[str]) -> str:
        words = [f"select ({_names(self._columns)})"]
        words += [f"insert ({_names(written)})"] if written else []
        words += [f"update ({_names(changed)})"] if changed else []
        text = f"grant {',\n      '.join([*words, 'delete'])}\n   on {self.table.name} to {ident(role)};\n"
        relation = self.table.relation
        if relation.shut or role not in _MADE:
            text += f"grant usage on schema {relation.schema_ident} to {ident(role)};\n"
        return text + "".join(f"grant usage on sequence {name} to {ident(role)};\n" for name in sequences)

    def _every(self, role: str, sequences: list[str]) -> str:
        written = [c for c in self._columns if not c.numbered]
        grants = self._grants(role, written, [c for c in written if not c.in_key], sequences)
        words = {"table": self.table.name, "role": ident(role), "who": _who(role), "role_grants": grants.rstrip("\n")}
        return Text.read("protect.every.sql").substitute(words)

    def _table_facts(self) -> list[str]:
        facts = [f"column {c.ident} has no statistics" for c in self._columns]
        if self.index:
            index, column = ident(self.index), self.ownership.column.ident
            facts.append(f"CREATE INDEX {index} ON {self.table.name} USING btree ({column})")
        return facts

    def _access_facts(self) -> list[str]:
        written = [c for c in self._columns if not c.numbered]
        facts = self._facts("app_user", self.written, self.changed, "own", self.ownership.deparsed)
        if "app_auth" in self.every_row:
            facts += self._facts("app_auth", written, [c for c in written if not c.in_key], "auth", "true")
        return facts

    def _facts(self, role: str, written: list[Column], changed: list[Column], who: str, rows: str) -> list[str]:
        columns = {"select": self._columns, "insert": written, "update": changed}
        facts = [
            f"{role} may {command} ({', '.join(c.name for c in names)})" for command, names in columns.items() if names
        ]
        clauses = {"select": ["using"], "insert": ["check"], "update": ["using", "check"], "delete": ["using"]}
        facts += [
            f"permissive policy {command}_{who} for {command} to {{{role}}} {clause} {rows}"
            for command in _COMMANDS
            for clause in clauses[command]
        ]
        return [f"{role} may delete", *facts]


def _change(table: LiveTable) -> str:
    relation = table.relation
    words = relation.relname if relation.schema in ("public", "app") else f"{relation.schema}_{relation.relname}"
    return re.sub("[^a-z0-9]+", "_", words.lower()).strip("_") or "table"


def _names(columns: Iterable[Column]) -> str:
    return ", ".join(column.ident for column in columns)


def _who(role: str) -> str:
    return re.sub(r"\W+", "_", role.removeprefix("app_"))


def _role(role: str) -> str:
    words = {"role": ident(role), "role_literal": literal(ident(role)), "quote": _dollars([role])}
    return Text.read("protect.role.sql").substitute(words)


def _lines(facts: Iterable[str]) -> str:
    # As the verification reads them: what is no printable ASCII is written by its number.
    def shown(sign: str) -> str:
        return sign if " " <= sign <= "~" else f"<U+{ord(sign):04X}>"

    return "\n".join(f"    {''.join(map(shown, fact))}" for fact in facts)


def _dollars(facts: Iterable[str]) -> str:
    text, quote = "\n".join(facts), "$$"
    while quote in text:
        quote = f"${quote.strip('$')}q$"
    return quote
