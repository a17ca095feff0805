"""The statements that keep Sqitch's registry, as messages for the wire."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from userscope.migrations.plan.grammar import noted
from userscope.migrations.plan.plan import Change, Dependency, Tag
from userscope.migrations.registry.read import Deployed
from userscope.postgres.sql import literal, named


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement with its parameters, and the script and line that it comes from, if any.

    ``file`` is what the script includes, where the line stands there; ``data`` is what a COPY from the client is sent.
    """

    sql: str
    params: tuple[str | None, ...] = ()
    path: Path | None = None
    line: int = 0
    file: Path | None = None
    data: bytes | None = None


type Batch = tuple[Statement, ...]

LOCK = 75474063
"""The advisory lock of whoever works on a registry, Sqitch among them."""

SYNC = Statement("")
BEGIN, COMMIT, ROLLBACK = Statement("begin"), Statement("commit"), Statement("rollback")


_UNLESS_THERE = """\
if coalesce(
    (select pg_catalog.pg_has_role(nspowner, 'usage') from pg_catalog.pg_namespace where nspname = %s), true
) then
%s
end if;"""


@dataclass(frozen=True)
class Registry:
    """The registry's statements: its schema, and the committer that rows carry."""

    schema: str
    name: str
    email: str

    def statement(self, name: str, *params: str | None) -> Statement:
        """Return a statement of ``write.sql``."""
        return Statement(_statements(self.schema)[name], params)

    def create(self, register: Batch = ()) -> Batch:
        """Make the registry, and ``register`` the first projects, in one transaction."""
        # One message for all of it.
        schema, *tables = _source("registry.sql", self.schema).split("\n\nCREATE TABLE ")
        # Whoever made the schema beforehand may own it, and may have the right to make one.
        body = "\n\nCREATE TABLE ".join([_UNLESS_THERE % (literal(self.schema), schema), *tables])
        definitions = Statement(f"do $registry$ begin\n{body}end $registry$")
        return (
            BEGIN,
            Statement("set local client_min_messages = warning"),
            definitions,
            self.statement("release", self.name, self.email),
            *register,
            COMMIT,
        )

    def settings(self, known: Iterable[str] | None) -> Statement:
        """Ask what a new session would be set to; this one, which began with what is ``known``, is set to the rest."""
        return self.statement("settings", None if known is None else _array(known))

    def register(self, project: str, uri: str | None) -> Statement:
        """Register a project."""
        return self.statement("project", project, uri, self.name, self.email)

    def tag(self, tag: Tag) -> Statement:
        """Record a tag."""
        change = tag.change
        return self.statement("tag", tag.id, tag.label, change.project, change.id, tag.note, *self._who_and_when(tag))

    def event(self, event: str, change: Change) -> Statement:
        """Record that a change was deployed, or failed."""
        return self.statement(
            "event",
            event,
            change.id,
            change.name,
            change.project,
            change.note,
            _array(tag.label for tag in change.tags),
            _array(dependency.text(change.project) for dependency in change.requires),
            _array(dependency.text(change.project) for dependency in change.conflicts),
            *self._who_and_when(change),
        )

    def deployed(self, change: Change, script_hash: str | None, requires: Iterable[tuple[Dependency, str]]) -> Batch:
        """Record a deployed change: its row, dependencies with the ids found, tags and event, in Sqitch's order."""
        words = (change.id, script_hash, change.name, change.project, change.note)
        row = self.statement("change", *words, *self._who_and_when(change))
        required = (
            self.statement("dependency", change.id, "require", dependency.text(change.project), id_)
            for dependency, id_ in requires
        )
        conflicting = (
            self.statement("dependency", change.id, "conflict", dependency.text(change.project), None)
            for dependency in change.conflicts
        )
        return (row, *required, *conflicting, *map(self.tag, change.tags), self.event("deploy", change))

    def reverted(self, change: Deployed) -> Batch:
        """Record that a change was reverted, from its own rows; Sqitch reads their note as it reads a plan's."""
        return (
            self.statement("revert_event", change.id, self.name, self.email, noted(change.note)),
            self.statement("delete_tags", change.id),
            self.statement("delete_change", change.id),
        )

    def _who_and_when(self, item: Change | Tag) -> tuple[str, ...]:
        return (self.name, self.email, item.timestamp, item.planner_name, item.planner_email)


def _array(items: Iterable[str]) -> str:
    """Return an array literal of texts."""
    quoted = (item.replace("\\", "\\\\").replace('"', '\\"') for item in items)
    return "{" + ",".join(f'"{item}"' for item in quoted) + "}"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _source(name: str, schema: str) -> str:
    return named(__package__, name).replace(':"registry"', _identifier(schema)).replace(":lock", str(LOCK))


@cache
def _statements(schema: str) -> dict[str, str]:
    sections = _source("write.sql", schema).split("-- name: ")[1:]
    return {name: sql.strip() for name, _, sql in (section.partition("\n") for section in sections)}
