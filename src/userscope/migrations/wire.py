"""From a change to the messages that go over the wire: pure functions, so that every message can be tested.

A ``Trip`` is sent at once and answered at once. After an error the server skips what follows up to the next ``SYNC``
or the trip's end, so a ``commit`` at the end of a trip runs only if everything before it did.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from userscope.errors import ConfigurationError
from userscope.migrations.plan import Change, Dependency, Tag

if TYPE_CHECKING:  # it loads PostgreSQL's parser, which takes a while
    from userscope.migrations.script import Script


@dataclass(frozen=True)
class Message:
    """One statement with its parameters, and the script and line that it comes from, if any."""

    sql: str
    params: tuple[str | None, ...] = ()
    path: Path | None = None
    line: int = 0


type Trip = tuple[Message, ...]

SYNC = Message("")
_BEGIN, _COMMIT, _ROLLBACK = Message("begin"), Message("commit"), Message("rollback")
# What a script may have left in the session. psql would end it; here the next script follows in the same one.
_FORGET = tuple(
    Message(sql)
    for sql in ("close all", "unlisten *", "deallocate all", "discard temp", "discard sequences", "discard plans")
)
_RESET = tuple(Message(sql) for sql in ("reset session authorization", "reset role", "reset all"))
_SAVEPOINT = "userscope_verification"
# A script may have given up all advisory locks, Sqitch's among them; taking it once more does no harm.
_RELOCK = Message("select pg_catalog.pg_try_advisory_lock(75474063)")


@dataclass(frozen=True)
class Timeouts:
    """How long to wait for one lock, and how long a statement may run: PostgreSQL's notation, ``0`` for ever.

    Raises ConfigurationError for what is no time.
    """

    lock: str = "5s"
    statement: str = "0"

    def __post_init__(self) -> None:
        for name, value in (("lock", self.lock), ("statement", self.statement)):
            if re.fullmatch(r"[0-9]+ *(us|ms|s|min|h|d)?", value) is None:
                raise ConfigurationError(
                    f'"{value}" is no {name} timeout', hint='Write a time such as "5s" or "500ms", or 0 for none.'
                )


@dataclass(frozen=True)
class Registry:
    """The registry's statements: its schema, and the committer that rows carry."""

    schema: str
    name: str
    email: str

    def statement(self, name: str, *params: str | None) -> Message:
        """Return a statement of ``bookkeeping.sql``."""
        return Message(_statements(self.schema)[name], params)

    def create(self, register: Trip = ()) -> Trip:
        """Make the registry, and ``register`` the first projects, in one transaction."""
        # One message for all of it.
        definitions = Message(f"do $registry$ begin\n{_source('registry.sql', self.schema)}end $registry$")
        return (
            _BEGIN,
            Message("set local client_min_messages = warning"),
            definitions,
            self.statement("release", self.name, self.email),
            *register,
            _COMMIT,
        )

    def register(self, project: str, uri: str | None) -> Message:
        """Register a project."""
        return self.statement("project", project, uri, self.name, self.email)

    def tag(self, tag: Tag) -> Message:
        """Record a tag."""
        return self.statement(
            "tag",
            tag.id,
            tag.label,
            tag.change.project,
            tag.change.id,
            tag.note,
            self.name,
            self.email,
            tag.timestamp,
            tag.planner_name,
            tag.planner_email,
        )

    def event(self, event: str, change: Change) -> Message:
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
            self.name,
            self.email,
            change.timestamp,
            change.planner_name,
            change.planner_email,
        )

    def deployed(self, work: "Deployment") -> Trip:
        """Record a deployed change: its row, dependencies, tags and event, in Sqitch's order."""
        change = work.change
        row = self.statement(
            "change",
            change.id,
            work.script_hash,
            change.name,
            change.project,
            change.note,
            self.name,
            self.email,
            change.timestamp,
            change.planner_name,
            change.planner_email,
        )
        required = (
            self.statement("dependency", change.id, "require", dependency.text(change.project), id_)
            for dependency, id_ in work.requires
        )
        conflicting = (
            self.statement("dependency", change.id, "conflict", dependency.text(change.project), None)
            for dependency in change.conflicts
        )
        return (row, *required, *conflicting, *map(self.tag, change.tags), self.event("deploy", change))

    def reverted(self, change_id: str) -> Trip:
        """Record that a change was reverted, from its own rows."""
        return (
            self.statement("revert_event", change_id, self.name, self.email),
            self.statement("delete_tags", change_id),
            self.statement("delete_change", change_id),
        )


@dataclass(frozen=True)
class Deployment:
    """A change to deploy: ``requires`` pairs what it requires with the ids found; no scripts under ``--log-only``."""

    change: Change
    script_hash: str | None
    requires: tuple[tuple[Dependency, str], ...]
    deploy: "Script | None"
    verify: "Script | None"
    revert: "Script | None" = None

    @property
    def is_atomic(self) -> bool:
        """Whether the deploy script and the registry rows are one transaction."""
        return self.deploy is None or self.deploy.is_transaction

    @property
    def verifies_inside(self) -> bool:
        """Whether that transaction holds the verification as well."""
        if self.deploy is None or self.verify is None:
            return self.is_atomic
        return self.is_atomic and self.verify.folds and not self.deploy.adds_enum_value


def fresh(timeouts: Timeouts) -> Trip:
    """Bring the session back to how a new one would be, with our time limits; holds inside a transaction as well."""
    return (
        *_RESET,
        Message("select pg_catalog.set_config('lock_timeout', $1, false)", (timeouts.lock,)),
        Message("select pg_catalog.set_config('statement_timeout', $1, false)", (timeouts.statement,)),
    )


def deploy(work: Deployment, registry: Registry, timeouts: Timeouts) -> list[Trip]:
    """Return the trips that deploy one change: with its registry rows where ``work.is_atomic``."""
    script = work.deploy
    if script is not None and not work.is_atomic:
        # As psql would run it: a lock timeout would leave an invalid index behind.
        return [(*_FORGET, *fresh(Timeouts("0", timeouts.statement))), *_one_by_one(script)]
    transaction = [
        *_clean(timeouts),
        Message(script.begin if script else "begin"),
        registry.statement("lock_changes"),
        *_messages(script),
    ]
    if script is not None and script.statements:
        # Deferred constraints speak now, and the verification meets what any other session will meet.
        transaction += [Message("set constraints all immediate", path=script.path), *_FORGET, *fresh(timeouts)]
    if work.verify is not None and work.verifies_inside:
        transaction += [
            Message(f"savepoint {_SAVEPOINT}"),
            *_messages(work.verify),
            Message(f"rollback to savepoint {_SAVEPOINT}"),
            *fresh(timeouts),
        ]
    return [(*transaction, _RELOCK, *registry.deployed(work), _COMMIT)]


def record(work: Deployment, registry: Registry, timeouts: Timeouts) -> Trip:
    """Record a change whose script ran statement by statement."""
    lock = registry.statement("lock_changes")
    return (*_clean(timeouts), _RELOCK, _BEGIN, lock, *registry.deployed(work), _COMMIT)


def verify(script: "Script | None", timeouts: Timeouts) -> list[Trip]:
    """Return the trips that run a verification by itself."""
    if script is None:
        return []
    if script.folds:
        return [(*_clean(timeouts), _BEGIN, *_messages(script), _ROLLBACK)]
    return [_clean(timeouts), *_one_by_one(script)]


def undo(work: Deployment, registry: Registry, timeouts: Timeouts) -> list[Trip]:
    """Return the trips that take back a change whose verification failed after its commit, and record the failure."""
    forget: Trip = ()
    if work.is_atomic:
        id_ = work.change.id
        forget = (
            registry.statement("delete_deploy_event", id_),
            registry.statement("delete_tags", id_),
            registry.statement("delete_change", id_),
        )
    return _reverting(work.revert, (*forget, registry.event("fail", work.change)), registry, timeouts)


def revert(change_id: str, script: "Script | None", registry: Registry, timeouts: Timeouts) -> list[Trip]:
    """Return the trips that revert and record one change."""
    return _reverting(script, registry.reverted(change_id), registry, timeouts)


def failed(change: Change, registry: Registry, timeouts: Timeouts) -> Trip:
    """Record that a change failed, once it was rolled back."""
    return (*_clean(timeouts), _BEGIN, registry.event("fail", change), _COMMIT)


def _reverting(script: "Script | None", rows: Trip, registry: Registry, timeouts: Timeouts) -> list[Trip]:
    lock = registry.statement("lock_changes")
    if script is not None and not script.is_transaction:
        first = (*_FORGET, *fresh(Timeouts("0", timeouts.statement)))
        return [first, *_one_by_one(script), (*_clean(timeouts), _RELOCK, _BEGIN, lock, *rows, _COMMIT)]
    begin = Message(script.begin if script else "begin")
    return [(*_clean(timeouts), begin, lock, *_messages(script), *fresh(timeouts), _RELOCK, *rows, _COMMIT)]


def _clean(timeouts: Timeouts) -> Trip:
    return (*_FORGET, *fresh(timeouts), SYNC)


def _messages(script: "Script | None") -> Iterable[Message]:
    """Return the statements between ``begin`` and the end of a script that is one transaction."""
    if script is None:
        return
    for statement in script.body:
        yield Message(statement.sql, path=script.path, line=statement.line)


def _one_by_one(script: "Script") -> Iterable[Trip]:
    for statement in script.statements:
        yield (Message(statement.sql, path=script.path, line=statement.line),)


def _array(items: Iterable[str]) -> str:
    """Return an array literal of texts."""
    quoted = (item.replace("\\", "\\\\").replace('"', '\\"') for item in items)
    return "{" + ",".join(f'"{item}"' for item in quoted) + "}"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _source(name: str, schema: str) -> str:
    text = (Path(__file__).with_name("sql") / name).read_text(encoding="utf-8")
    return text.replace(':"registry"', _identifier(schema))


@cache
def _statements(schema: str) -> dict[str, str]:
    sections = _source("bookkeeping.sql", schema).split("-- name: ")[1:]
    return {name: sql.strip() for name, _, sql in (section.partition("\n") for section in sections)}
