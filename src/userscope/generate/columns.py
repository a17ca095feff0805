"""The columns of a new table, as the command line spells them: ``NAME:TYPE[:LENGTH][:null]``."""

import re
from dataclasses import dataclass

from userscope.errors import ConfigurationError
from userscope.identity import Kind

# What is offered, and a value of it that a test can write. Any other type is a line that its author edits by hand.
TYPES = {
    "text": "''",
    "integer": "1",
    "bigint": "1",
    "numeric": "1",
    "boolean": "true",
    "date": "date '2026-01-01'",
    "timestamptz": "timestamptz '2026-01-01 00:00Z'",
    "uuid": "gen_random_uuid()",
    "jsonb": "jsonb '[]'",
}
TAKEN = ("owner_id", "id", "created_at", "updated_at")
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# Types that PostgreSQL spells otherwise when it is asked.
SPELT = {"timestamptz": "timestamp with time zone"}
_LENGTH = 10_000
# Who acts, as a policy asks for it, and as PostgreSQL shows it in one; then the organization that they act in.
ACTING: dict[Kind, tuple[str, str]] = {
    "uuid": ("app.current_user_id()", "app.current_user_id() AS current_user_id"),
    "bigint": ("app.current_user_key()::bigint", "(app.current_user_key())::bigint AS current_user_key"),
    "text": ("app.current_user_key()", "app.current_user_key() AS current_user_key"),
}
ORGANIZATION = ("app.current_organization_id()", "app.current_organization_id() AS current_organization_id")


@dataclass(frozen=True)
class Column:
    """A column that its owner writes. ``length``, in characters, is that of a text."""

    name: str
    type: str
    length: int | None = None
    nullable: bool = False

    @classmethod
    def parse(cls, spelling: str) -> "Column":
        """Read a column. Raises ConfigurationError, which tells what can be written."""
        name, *words = spelling.split(":")
        nullable = bool(words) and words[-1] == "null"
        kind, *rest = (words[:-1] if nullable else words) or [""]
        length = rest[0] if rest else None
        if (
            not NAME.fullmatch(name)
            or kind not in TYPES
            or len(rest) > 1
            or (length is not None and (kind != "text" or not re.fullmatch(r"[1-9][0-9]{0,6}", length)))
        ):
            raise ConfigurationError(
                f'"{spelling}" is no column',
                detail=f"A column is NAME:TYPE, TYPE one of {', '.join(TYPES)}; a name has up to 40 of a-z, 0-9 and _.",
                hint='For example "title:text:200", at most 200 characters, or "due_at:timestamptz:null".',
            )
        if name in TAKEN:
            raise ConfigurationError(f'every owned table has a column "{name}"', hint="Leave it out.")
        return cls(name, kind, (int(length or _LENGTH) if kind == "text" else None), nullable)

    @property
    def value(self) -> str:
        """An SQL expression of its type."""
        return f"'{'first'[: self.length]}'" if self.type == "text" else TYPES[self.type]

    @property
    def default(self) -> str | None:
        """What it is where an insert leaves it out, if not empty."""
        return "false" if self.type == "boolean" and not self.nullable else None

    def constraint(self, table: str) -> str | None:
        """Return the name of its check, if it has one."""
        return f"{table}_{self.name}_check" if self.length else None

    def rules(self, table: str) -> str:
        """Return what stands behind its type."""
        words = [] if self.nullable else ["not null"]
        if self.default:
            words.append(f"default {self.default}")
        if self.length:
            words.append(f"constraint {self.constraint(table)} check (char_length({self.name}) <= {self.length})")
        return " ".join(words)

    def facts(self, table: str) -> list[str]:
        """Return what a verification finds of it."""
        words = ["column", self.name, SPELT.get(self.type, self.type)]
        words += [] if self.nullable else ["not null"]
        words += [f"default {self.default}"] if self.default else []
        check = f"constraint {self.constraint(table)} CHECK ((char_length({self.name}) <= {self.length}))"
        return [" ".join([*words, "statistics 0"]), *([check] if self.length else [])]
