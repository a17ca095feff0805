"""How much was tried: no finding is no proof."""

from dataclasses import dataclass, field

from userscope.probe.attacks import variants
from userscope.probe.catalog.model import Policy
from userscope.probe.scene import Scene
from userscope.probe.worlds import ALICE, BOB

_LEAST = 0.5
"""Which part of the tables must be filled."""


@dataclass
class Coverage:
    """What was filled and met, and what was not tried, each with its reason."""

    roles: list[str]
    tables: int
    filled: int
    policies: int
    met: int
    not_tried: list[str] = field(default_factory=list)
    too_little: list[str] = field(default_factory=list)
    """Why nothing may be concluded from this run, if nothing may."""


def measure(scene: Scene) -> Coverage:
    """Say what was reached, after everything was tried."""
    tables = scene.catalog.tables
    filled = [table for table in tables if scene.row(table, ALICE) and scene.row(table, BOB)]
    not_met = [policy for policy in scene.catalog.policies if not _met(scene, policy)]
    coverage = Coverage(
        list(scene.identities.roles), len(tables), len(filled),
        len(scene.catalog.policies), len(scene.catalog.policies) - len(not_met),
    )  # fmt: skip
    coverage.not_tried += [f"{table.label}: not filled: {said}" for table, said in sorted(
        scene.filling.failures.items(), key=lambda each: each[0].label)]  # fmt: skip
    coverage.not_tried += _unseen(scene)
    coverage.not_tried += [
        f"{scene.catalog.relations[policy.relation].label}: no row or session met the condition of policy {policy.name}"
        for policy in not_met
    ]
    coverage.not_tried += dict.fromkeys(scene.not_tried)
    coverage.too_little = _too_little(scene, coverage)
    return coverage


def _too_little(scene: Scene, coverage: Coverage) -> list[str]:
    said = []
    if not coverage.roles:
        said.append("there is no role to act as that policies apply to (--as names one)")
    if not coverage.tables:
        said.append("there is no table")
    elif coverage.filled < _LEAST * coverage.tables:
        said.append(f"only {coverage.filled} of {coverage.tables} tables could be filled")
    mine = [seen for actor, seen in scene.seen.items() if actor.alice]
    readable = any(
        scene.rights(actor, relation).select
        for actor in scene.actors
        if actor.alice
        for relation in scene.catalog.relations.values()
        if relation.secured or not relation.table
    )
    if mine and readable and not any(world is ALICE for seen in mine for _, world in seen):
        said.append("nobody sees any row of their own (--identity says how the schema is told who acts)")
    return said


def _met(scene: Scene, policy: Policy) -> bool:
    """Whether some row fulfils a policy's conditions in somebody's session."""
    relation = scene.catalog.relations[policy.relation]
    conditions = [each for each in (policy.using, policy.check) if each]
    bobs = [scene.identities.person(BOB, role) for role in scene.identities.members]
    for actor in [*reversed(scene.actors), *bobs]:
        with scene.stage.undone():
            scene.stage.execute(f"set local statement_timeout = '{scene.stage.limit:g}s'")
            for statement in actor.session:
                scene.stage.attempt(statement)
            asked = [f"exists (select 1 from {relation.sql} where {condition})" for condition in conditions]
            outcome = scene.stage.attempt(f"select 1 where {' and '.join(asked) or 'true'}")
        if outcome.rows:
            return True
    return False


def _unseen(scene: Scene) -> list[str]:
    """Return where Alice does not see her own row, neither as it is nor with another value or role."""
    found = []
    for actor in (each for each in scene.actors if each.alice):
        for table in scene.filled_by_alice:
            if (
                table.slice
                or table in scene.taken_out
                or not scene.rights(actor, table).select
                or scene.sees(actor, table, ALICE)
            ):
                continue
            if scene.findings.has(table.label) or variants.shown_otherwise(scene, actor, table):
                continue
            found.append(f"{table.label}: {actor.who} ({actor.role}) does not see the own row")
    return found
