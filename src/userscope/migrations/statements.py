"""From a change to the messages that go over the wire: pure functions, so that every message can be tested.

A ``Batch`` is sent at once and answered at once. After an error the server skips what follows up to the next ``SYNC``
or the trip's end, so a ``commit`` at the end of a trip runs only if everything before it did.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from userscope.errors import ConfigurationError
from userscope.migrations.plan.plan import Change, Dependency
from userscope.migrations.projects import Project
from userscope.migrations.registry.read import Deployed
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

    project: Project
    change: Change
    script_hash: str | None
    requires: tuple[tuple[Dependency, str], ...]
    deploy: "Script | None" = None
    verify: "Script | None" = None
    revert: "Script | None" = None
    unverified: bool = False
    """Whether its verification was left out on purpose."""
    apart: bool = False
    """Whether the verification was found to be unable to run inside another transaction."""

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
        if self.verify is None:
            return self.is_atomic
        deploy = self.deploy
        late = self.apart or (deploy is not None and (deploy.adds_enum_value or deploy.takes_settings_back))
        return self.is_atomic and self.verify.folds and not late

    @property
    def leaves_settings(self) -> bool:
        """Whether a script may leave what only a new session is rid of."""
        return any(script is not None and script.leaves_settings for script in (self.deploy, self.verify))


def fresh(timeouts: Timeouts) -> Batch:
    """Bring the session back to how a new one would be, with our time limits; holds inside a transaction as well."""
    return (*_RESET, Statement(_LIMITS, (timeouts.lock, timeouts.statement)))


def deploy(deployment: Deployment, registry: Registry, timeouts: Timeouts, known: Sequence[str] = ()) -> list[Batch]:
    """Return the trips that deploy one change: with its registry rows where ``deployment.is_atomic``.

    ``known`` is what ``alter database`` and ``alter role`` had set when this session began.
    """
    script = deployment.deploy
    settings = registry.settings(known)
    if script is not None and not deployment.is_atomic:
        return [*_as_psql(script, timeouts), (*_clean(timeouts), settings)]
    transaction = [*_clean(timeouts), *_begun(script, registry)]
    if script is not None and script.statements:
        # Deferred constraints speak now, and the verification meets what any other session will meet.
        transaction += [Statement("set constraints all immediate", path=script.path), *_FORGET, *fresh(timeouts)]
        transaction.append(settings)
    if deployment.verify is not None and deployment.verifies_inside:
        transaction += [
            Statement(f"savepoint {_SAVEPOINT}"),
            *deployment.verify.body,
            Statement(f"rollback to savepoint {_SAVEPOINT}"),
            *fresh(timeouts),
        ]
    return [(*transaction, _relock(registry), *deployment.rows(registry), COMMIT)]


def record(deployment: Deployment, registry: Registry, timeouts: Timeouts) -> Batch:
    """Record a change whose script ran statement by statement."""
    return _alone(deployment.rows(registry), registry, timeouts)


def verify(
    script: "Script | None", timeouts: Timeouts, *, replica: bool = False, one_by_one: bool = False
) -> list[Batch]:
    """Return the trips that run a verification by itself, in one transaction if that is how it was written, or can be.

    A ``replica`` knows no LISTEN and so no UNLISTEN.
    """
    if script is None:
        return []
    clean = (*(_FORGET_READING if replica else _FORGET), *fresh(timeouts), SYNC)
    if script.folds and not one_by_one:
        return [(*clean, BEGIN, *script.body, ROLLBACK)]
    return [clean, *((statement,) for statement in script.statements)]


def undo(deployment: Deployment, registry: Registry, timeouts: Timeouts) -> list[Batch]:
    """Return the trips that take back a change whose verification failed after its commit, and record the failure."""
    forget: Batch = ()
    if deployment.is_atomic:
        rows = ("delete_deploy_event", "delete_tags", "delete_change")
        forget = tuple(registry.statement(name, deployment.change.id) for name in rows)
    return _reverting(deployment.revert, (*forget, registry.event("fail", deployment.change)), registry, timeouts)


def revert(
    change: Deployed, script: "Script | None", registry: Registry, timeouts: Timeouts, known: Sequence[str] = ()
) -> list[Batch]:
    """Return the trips that revert and record one change."""
    rows = registry.reverted(change)
    return _reverting(script, (registry.settings(known), *rows) if script else rows, registry, timeouts)


def failed(change: Change, registry: Registry, timeouts: Timeouts) -> Batch:
    """Record that a change failed, once it was rolled back."""
    return (*_clean(timeouts), BEGIN, registry.event("fail", change), COMMIT)


def _reverting(script: "Script | None", rows: Batch, registry: Registry, timeouts: Timeouts) -> list[Batch]:
    if script is not None and not script.is_transaction:
        return [*_as_psql(script, timeouts), _alone(rows, registry, timeouts)]
    begun = _begun(script, registry)
    return [(*_clean(timeouts), *begun, *fresh(timeouts), _relock(registry), *rows, COMMIT)]


def _as_psql(script: "Script", timeouts: Timeouts) -> list[Batch]:
    """Return what runs a script as psql would, so without a lock timeout: it would leave an invalid index behind."""
    return [(*_FORGET, *fresh(Timeouts("0", timeouts.statement))), *((statement,) for statement in script.statements)]


def _alone(rows: Batch, registry: Registry, timeouts: Timeouts) -> Batch:
    """Return a transaction that writes rows alone, after a script that ran statement by statement."""
    return (*_clean(timeouts), _relock(registry), BEGIN, registry.statement("lock_changes"), *rows, COMMIT)


def _clean(timeouts: Timeouts) -> Batch:
    return (*_FORGET, *fresh(timeouts), SYNC)


def _relock(registry: Registry) -> Statement:
    """Take Sqitch's lock once more, which does no harm: a script may have given up all advisory locks."""
    return registry.statement("try_lock")


def _begun(script: "Script | None", registry: Registry) -> Iterable[Statement]:
    """Return the begin of a transaction that writes the registry, and what a script does in it."""
    yield Statement(script.begin if script else "begin")
    body = script.body if script else ()
    # The transaction's own characteristics are set before its first query.
    first = len(list(takewhile(lambda statement: statement.sets_transaction, body)))
    yield from body[:first]
    yield registry.statement("lock_changes")
    yield from body[first:]
