"""Migrate and revert: connect, take Sqitch's lock, decide what is to be done, do it."""

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from userscope.errors import MigrationError, RegistryError
from userscope.migrations.client import Client, Failed
from userscope.migrations.config import committer
from userscope.migrations.engine import Engine, Event, Options, Overtaken, Report
from userscope.migrations.failures import wording
from userscope.migrations.locks import foreseen
from userscope.migrations.order import pending, to_revert
from userscope.migrations.projects import Project, find
from userscope.migrations.registry.read import Deployed, State
from userscope.migrations.registry.write import LOCK, Registry
from userscope.migrations.statements import Deployment
from userscope.migrations.verification import question, refuse_changed_functions
from userscope.postgres.url import ConnectionURL

_OLDEST = 150000


def silent(_event: Event) -> None:
    """Report nothing."""


def migrate(
    url: ConnectionURL,
    projects: Sequence[Project] | None = None,
    *,
    to: str | None = None,
    dry_run: bool = False,
    options: Options | None = None,
    report: Report = silent,
) -> list[str]:
    """Deploy, verify and record every pending change, or those up to ``to`` (``PROJECT:CHANGE``).

    Returns the labels of what was deployed, or would be. Raises MigrationError, Unavailable, ConfigurationError.
    """
    projects = find() if projects is None else projects
    target = _planned_target(projects, to) if to is not None else None
    with connected(url, projects, report=report, lock=not dry_run, options=options) as engine:
        if target is not None and target[1] < engine.state.position(target[0].plan):
            raise MigrationError(
                f'"{to}" is deployed already, and so are later changes', hint='To go back, use "userscope revert --to".'
            )
        steps = pending(copy.deepcopy(engine.state), projects, target)
        labels = [step.change.label for step in steps]
        deployments = engine.reading("deploy").deployments(steps)
        if steps:
            refuse_changed_functions(engine.functions)
        if not dry_run:
            engine.record_tags()
        if not steps:
            engine.remark("Nothing to deploy (up-to-date)" if to is None else f'Nothing to deploy (already at "{to}")')
        elif dry_run:
            engine.remark(f"Would deploy to {engine.destination}")
            _show_locks(engine, deployments)
        else:
            for each in _locks(engine, deployments):
                if each.is_long:
                    engine.warn(f"WARNING:  {each.change}: {each}. {each.instead}".rstrip())
            engine.create_registry({step.project.name for step in steps})
            engine.remark(f"Deploying changes{f' through {to}' if to is not None else ''} to {engine.destination}")
            labels = _deploy(engine, projects, target, deployments)
    return labels


def _locks(engine: Engine, deployments: Sequence[Deployment]) -> list[foreseen.Foreseen]:
    """Find out which tables the scripts lock, and for how long at worst."""
    asked, found = foreseen.question(deployments)
    answered = foreseen.answer(found, engine.client.run([asked])[0]) if found else []
    # Where nothing was deployed yet, what code may lock is nobody's to wait for.
    return [each for each in answered if each.lock or engine.initialized]


def _show_locks(engine: Engine, deployments: Sequence[Deployment]) -> None:
    found = _locks(engine, deployments)
    for deployment in deployments:
        engine.remark(f"  + {deployment.change.label}")
        for each in found:
            if each.change == deployment.change.label:
                engine.report(Event("lock", f"      {each}", lock=each))


def _deploy(
    engine: Engine, projects: Sequence[Project], target: tuple[Project, int] | None, deployments: Sequence[Deployment]
) -> list[str]:
    """Deploy; where somebody else has done a part of it meanwhile, go on from there. Returns what was deployed here."""
    done: list[str] = []
    while deployments:
        try:
            engine.deploy(deployments)
        except Overtaken:
            done += [each.change.label for each in deployments if each.change.id in engine.done]
            engine.read()
            engine.remark("Somebody else has deployed meanwhile; going on from there")
            deployments = engine.reading("deploy").deployments(pending(copy.deepcopy(engine.state), projects, target))
        else:
            return done + [each.change.label for each in deployments]
    return done


def revert(
    url: ConnectionURL,
    projects: Sequence[Project] | None = None,
    *,
    to: str | None,
    confirm: Callable[[list[str]], bool],
    options: Options | None = None,
    report: Report = silent,
) -> list[str]:
    """Revert everything (``to`` None), or what was deployed after ``to`` (``PROJECT:CHANGE``) and what needs that.

    ``confirm`` is asked with the labels, newest first, before anything is done. Returns the labels of what was
    reverted. Raises MigrationError, Unavailable, ConfigurationError.
    """
    with connected(url, projects, report=report, lock=True, options=options) as engine:
        if not engine.initialized:
            raise RegistryError(f"{engine.destination} has no registry", hint="Was anything ever deployed there?")
        target = _deployed_target(engine.state, engine.projects, to) if to is not None else None
        changes = to_revert(engine.state, engine.projects, target)
        labels = [engine.label(change) for change in changes]
        if not changes:
            nothing = "Nothing to revert (nothing deployed)"
            engine.remark(nothing if to is None else f'No changes deployed since: "{to}"')
        elif not confirm(labels):
            engine.remark("Nothing reverted")
            return []
        else:
            engine.remark(f"Reverting {'all changes' if to is None else f'changes to {to}'} from {engine.destination}")
            engine.revert(changes)
    return labels


@contextmanager
def connected(
    url: ConnectionURL,
    projects: Sequence[Project] | None,
    *,
    report: Report,
    lock: bool = False,
    options: Options | None = None,
) -> Iterator[Engine]:
    """Connect, check the server, take Sqitch's lock if asked, and read the registry; ``projects`` default to ours.

    Raises Unavailable, ConfigurationError or RegistryError.
    """
    projects = find() if projects is None else projects
    name, email = committer(projects[0].config)
    registry = Registry(projects[0].registry, name, email)
    with Client.connect(url, lambda severity, text: report(Event("warning", f"{severity}:  {text}"))) as client:
        engine = Engine(client, projects, registry, report, str(url), options or Options())
        with client.stoppable():
            try:
                _look(engine, lock=lock)
                engine.read()
                yield engine
            except Failed as error:
                raise wording(error, "the registry") from None


def _look(engine: Engine, *, lock: bool) -> None:
    """Take the lock and, in the same trip, look at the server: who held it until now may have changed what is seen."""
    facts = engine.registry.statement("facts", engine.registry.schema)
    try_lock = engine.registry.statement("try_lock")
    asked = [facts, question(), engine.registry.settings(None)]
    locked, *rows = engine.client.run([try_lock, *asked]) if lock else [[], *engine.client.run(asked)]
    _check_server(rows[0][0], writing=lock)
    if lock and locked[0]["locked"] != "true":
        _wait_for_lock(engine)
        engine.client.renew()  # settings of the database may be others by now
        rows = engine.client.run(asked)
    engine.initialized = rows[0][0]["initialized"] == "true"
    engine.functions = rows[1]
    engine.knows(rows[2])


def _check_server(facts: dict[str, str | None], *, writing: bool) -> None:
    if int(facts["version_number"] or 0) < _OLDEST:
        raise RegistryError(
            f"PostgreSQL {facts['version']} is too old",
            detail="PostgreSQL 15 or newer is needed.",
            hint="Upgrade the server, or connect to another one.",
        )
    if writing and facts["in_recovery"] == "true":
        raise RegistryError("the server is a read-only replica", hint="Connect to the primary server instead.")
    if writing and facts["read_only"] == "on":
        raise RegistryError(
            "the session only reads",
            detail="default_transaction_read_only is on for this server, database or role.",
            hint="Turn it off for the role that migrates.",
        )


def _wait_for_lock(engine: Engine) -> None:
    """Ask for Sqitch's lock again and again, with growing pauses."""
    client, wait = engine.client, engine.options.wait
    blocked = f"Blocked by another instance of Sqitch working on {engine.destination}"
    engine.remark(f"{blocked}; waiting {wait:g} seconds for {_holder(engine)}...")
    until, pause = time.monotonic() + wait, 0.01
    while time.monotonic() < until:
        client.pause(min(pause, until - time.monotonic()))
        if client.run([engine.registry.statement("try_lock")])[0][0]["locked"] == "true":
            return
        pause = min(pause * 2, 1.0)
    raise RegistryError(
        f"another instance of Sqitch has worked on the database for {wait:g} seconds",
        detail=f"The advisory lock {LOCK} is held by {_holder(engine)}.",
        hint="Wait until it has finished, or end its session by pg_terminate_backend; --wait allows more time. "
        "Where it is no migration, it was made to hold the lock, as any login can be.",
    )


def _holder(engine: Engine) -> str:
    """Tell who has Sqitch's lock now: a session that migrates, or one of a service that was left with it."""
    rows = engine.client.run([engine.registry.statement("lock_holder")])[0]
    return (rows[0]["holder"] if rows else None) or "a session that has ended"


def _planned_target(projects: Sequence[Project], text: str) -> tuple[Project, int]:
    """Find ``PROJECT:CHANGE`` in the plans."""
    project, key = _named(projects, text)
    index = project.plan.index_of(key)
    if index is None:
        raise MigrationError(f'unknown change: "{text}"', hint='"userscope status" lists the changes to come.')
    return project, index


def _deployed_target(state: State, projects: Sequence[Project], text: str) -> tuple[Project, Deployed]:
    """Find ``PROJECT:CHANGE`` among the deployed changes."""
    project, key = _named(projects, text)
    found = state.find(project.name, key, project.plan)
    if found is None:
        known = project.plan.find(key) is not None
        raise MigrationError(
            f'change not deployed: "{text}"' if known else f'unknown change: "{text}"',
            hint='"userscope log" tells what was deployed.',
        )
    return project, found


def _named(projects: Sequence[Project], text: str) -> tuple[Project, str]:
    """Split ``PROJECT:CHANGE``; a single project need not be named."""
    name, colon, key = text.partition(":")
    if not colon and len(projects) == 1:
        return projects[0], text
    for project in projects:
        if project.name == name and key:
            return project, key
    names = ", ".join(f'"{project.name}"' for project in projects)
    raise MigrationError(f'"{text}" names no change', hint=f"Write PROJECT:CHANGE, where PROJECT is one of {names}.")
