"""From a change to the messages that go over the wire: pure functions, so that every message can be tested.

A ``Batch`` is sent at once and answered at once. After an error the server skips what follows up to the next ``SYNC``
or the trip's end, so a ``commit`` at the end of a trip runs only if everything before it did.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from userscope.errors import ConfigurationError
from userscope.migrations.plan.plan import Change, Dependency
from userscope.migrations.registry.write import BEGIN, COMMIT, ROLLBACK, SYNC, Batch, Registry, Statement
from userscope.postgres.times import seconds

if TYPE_CHECKING:  # it loads PostgreSQL's parser, which takes a while
    from userscope.migrations.script import Script


# What a script may have left in the session. psql would end it; here the next script follows in the same one.
_FORGET_READING = tuple(
    Statement(sql) for sql in ("close all", "deallocate all", "discard temp", "discard sequences", "discard plans")
)
_FORGET = (Statement("unlisten *"), *_FORGET_READING)
_RESET = tuple(Statement(sql) for sql in ("reset session authorization", "reset role", "reset all"))
_LIMITS = (
    "select pg_catalog.set_config('lock_timeout', $1, false), pg_catalog.set_config('statement_timeout', $2, false)"
)
_SAVEPOINT = "userscope_verification"


@dataclass(frozen=True)
class Timeouts:
    """How long to wait for one lock, and how long a statement may run: PostgreSQL's notation, ``0`` for ever.

    Raises ConfigurationError for what is no time.
    """

    lock: str = "5s"
    statement: str = "0"

    def __post_init__(self) -> None:
        for name, value in (("lock", self.lock), ("statement", self.statement)):
            try:
                seconds(value)
            except ValueError:
                raise ConfigurationError(
                    f'"{value}" is no {name} timeout', hint='Write a time such as "5s" or "500ms", or 0 for none.'
                ) from None


@dataclass(frozen=True)
class Deployment:
    """A change to deploy: ``requires`` pairs what it requires with the ids found; no scripts under ``--log-only``."""

    change: Change
    script_hash: str | None
    requires: tuple[tuple[Dependency, str], ...]
    deploy: "Script | None" = None
    verify: "Script | None" = None
    revert: "Script | None" = None

    def rows(self, registry: Registry) -> Batch:
        """The registry's rows once it is deployed."""
        return registry.deployed(self.change, self.script_hash, self.requires)

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


def fresh(timeouts: Timeouts) -> Batch:
    """Bring the session back to how a new one would be, with our time limits; holds inside a transaction as well."""
    return (*_RESET, Statement(_LIMITS, (timeouts.lock, timeouts.statement)))


def deploy(deployment: Deployment, registry: Registry, timeouts: Timeouts) -> list[Batch]:
    """Return the trips that deploy one change: with its registry rows where ``deployment.is_atomic``."""
    script = deployment.deploy
    if script is not None and not deployment.is_atomic:
        return _as_psql(script, timeouts)
    transaction = [
        *_clean(timeouts),
        Statement(script.begin if script else "begin"),
        registry.statement("lock_changes"),
        *_messages(script),
    ]
    if script is not None and script.statements:
        # Deferred constraints speak now, and the verification meets what any other session will meet.
        transaction += [Statement("set constraints all immediate", path=script.path), *_FORGET, *fresh(timeouts)]
    if deployment.verify is not None and deployment.verifies_inside:
        transaction += [
            Statement(f"savepoint {_SAVEPOINT}"),
            *_messages(deployment.verify),
            Statement(f"rollback to savepoint {_SAVEPOINT}"),
            *fresh(timeouts),
        ]
    return [(*transaction, _relock(registry), *deployment.rows(registry), COMMIT)]


def record(deployment: Deployment, registry: Registry, timeouts: Timeouts) -> Batch:
    """Record a change whose script ran statement by statement."""
    return _alone(deployment.rows(registry), registry, timeouts)


def verify(script: "Script | None", timeouts: Timeouts, *, replica: bool = False) -> list[Batch]:
    """Return the trips that run a verification by itself; a ``replica`` knows no LISTEN and so no UNLISTEN."""
    if script is None:
        return []
    clean = (*(_FORGET_READING if replica else _FORGET), *fresh(timeouts), SYNC)
    if script.folds:
        return [(*clean, BEGIN, *_messages(script), ROLLBACK)]
    return [clean, *_one_by_one(script)]


def undo(deployment: Deployment, registry: Registry, timeouts: Timeouts) -> list[Batch]:
    """Return the trips that take back a change whose verification failed after its commit, and record the failure."""
    forget: Batch = ()
    if deployment.is_atomic:
        rows = ("delete_deploy_event", "delete_tags", "delete_change")
        forget = tuple(registry.statement(name, deployment.change.id) for name in rows)
    return _reverting(deployment.revert, (*forget, registry.event("fail", deployment.change)), registry, timeouts)


def revert(change_id: str, script: "Script | None", registry: Registry, timeouts: Timeouts) -> list[Batch]:
    """Return the trips that revert and record one change."""
    return _reverting(script, registry.reverted(change_id), registry, timeouts)


def failed(change: Change, registry: Registry, timeouts: Timeouts) -> Batch:
    """Record that a change failed, once it was rolled back."""
    return (*_clean(timeouts), BEGIN, registry.event("fail", change), COMMIT)


def _reverting(script: "Script | None", rows: Batch, registry: Registry, timeouts: Timeouts) -> list[Batch]:
    if script is not None and not script.is_transaction:
        return [*_as_psql(script, timeouts), _alone(rows, registry, timeouts)]
    begin = (Statement(script.begin if script else "begin"), registry.statement("lock_changes"))
    return [(*_clean(timeouts), *begin, *_messages(script), *fresh(timeouts), _relock(registry), *rows, COMMIT)]


def _as_psql(script: "Script", timeouts: Timeouts) -> list[Batch]:
    """Return what runs a script as psql would, so without a lock timeout: it would leave an invalid index behind."""
    return [(*_FORGET, *fresh(Timeouts("0", timeouts.statement))), *_one_by_one(script)]


def _alone(rows: Batch, registry: Registry, timeouts: Timeouts) -> Batch:
    """Return a transaction that writes rows alone, after a script that ran statement by statement."""
    return (*_clean(timeouts), _relock(registry), BEGIN, registry.statement("lock_changes"), *rows, COMMIT)


def _clean(timeouts: Timeouts) -> Batch:
    return (*_FORGET, *fresh(timeouts), SYNC)


def _relock(registry: Registry) -> Statement:
    """Take Sqitch's lock once more, which does no harm: a script may have given up all advisory locks."""
    return registry.statement("try_lock")


def _messages(script: "Script | None") -> Iterable[Statement]:
    """Return the statements between ``begin`` and the end of a script that is one transaction."""
    if script is None:
        return
    for statement in script.body:
        yield Statement(statement.sql, path=script.path, line=statement.line)


def _one_by_one(script: "Script") -> Iterable[Batch]:
    for statement in script.statements:
        yield (Statement(statement.sql, path=script.path, line=statement.line),)
