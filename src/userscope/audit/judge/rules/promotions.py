"""Self-promotion: who writes what decides about them, such as a membership, a role or an invitation."""

import re
from collections.abc import Iterator

from userscope.audit.judge.catalog import PEOPLE, Relation
from userscope.audit.judge.decisions import Decision, equal_to
from userscope.audit.judge.policies import Clause, Policies
from userscope.audit.judge.rules.carried import alone, carried
from userscope.audit.judge.rules.writes import guarded, speaks, writers
from userscope.audit.judge.terms import Atom, Limit, Link
from userscope.audit.judge.verdict import Verdict
from userscope.audit.model import Finding

RULES = ("self_promotion",)
_INVITATION = re.compile(r"invit|request|join|share|code|token|link", re.IGNORECASE)


def findings(policies: Policies) -> Iterator[Finding]:
    """Ask of each table whose rows decide about others."""
    for oid, believed in sorted(policies.decisions().items()):
        yield from _promotions(policies, policies.catalog.relations[oid], believed)
    yield from carried(policies)


def _promotions(policies: Policies, relation: Relation, believed: list[tuple[Decision, str]]) -> Iterator[Finding]:
    """Can whom these rows are about write what decides?"""
    listed = sorted({who for decision, who in believed if decision.listed})
    for letter, _, check in writers(policies, relation):
        free = [one for one in check.verdicts if one.kind not in ("dead", "role", "function") and not one.relations]
        if letter == "a" and listed and free and relation.name not in PEOPLE:
            yield Finding(
                "error",
                "self_promotion",
                relation.full,
                "who it is about may insert a row, which decides",
                f"{check.object} lets a user put themselves there, and {', '.join(listed[:4])} "
                f"{'asks' if len(listed) == 1 else 'ask'} for no more.",
                f"revoke insert on {relation.full} from …, and let somebody who may put them there",
            )
        for column in sorted({name for decision, _ in believed for name in decision.limits | decision.scopes}):
            if not any(relation.may(service, letter, column) for service in check.services):
                continue
            if not any(column in decision.limits for decision, _ in believed) and alone(relation, column):
                continue
            uses = [
                (decision, who)
                for decision, who in believed
                if column in decision.limits | decision.scopes and column not in decision.mine
            ]
            who = sorted({who for _, who in uses})
            if not uses or guarded(policies, relation, column):
                continue
            # Moving a row to where its user is not yet: what is asked of the old row is asked of the new one.
            moved = letter == "w" and check.name == "USING" and not any(column in one.limits for one, _ in uses)
            if moved and any(speaks(verdict, column) for verdict in check.verdicts):
                continue
            free = [
                verdict
                for verdict in check.verdicts
                if not _decided(verdict, relation, column, uses)
                and not all(_harmless(policies, relation, letter, check, verdict, decision) for decision, _ in uses)
            ]
            if free:
                verb = "insert" if letter == "a" else "update"
                yield Finding(
                    "error",
                    "self_promotion",
                    relation.full,
                    f"who it is about may {verb} {column}, which decides",
                    f"{check.object} lets a user write {column} of their own row, and {', '.join(who[:4])} "
                    f"{'believes' if len(who) == 1 else 'believe'} it.",
                    f"revoke {verb} on {relation.full} from …, and grant it on the other columns, or compare {column}",
                )
                break


def _harmless(
    policies: Policies, relation: Relation, letter: str, check: Clause, verdict: Verdict, decision: Decision
) -> bool:
    """Whether a row that is written so decides nothing, or was agreed to by whom it opens."""
    written = {pair for atom in verdict.branch for pair in equal_to(atom) if _of_row(atom)}
    if letter == "a":
        given = {name for name, _ in written}
        written |= {
            (name, default)
            for name, column in relation.fields.items()
            if name not in given and not any(relation.may(service, "a", name) for service in check.services)
            for default in re.findall(r"^'?([\w-]+)'?(?:::|$)", column.default or "")
        }
    if any(
        name == asked and not set(value.split("|")) & set(wanted.split("|"))
        for name, value in written
        for asked, wanted in decision.asked
    ):
        return True
    writers = _mine(verdict)
    if letter == "w" and decision.asked and _agreed(policies, relation, decision):
        return True
    if not writers or writers & decision.mine or not decision.scopes:
        return False
    return bool(writers & decision.scopes)


def _agreed(policies: Policies, relation: Relation, decision: Decision) -> bool:
    """Whether a row is made by whom it opens, who so asks the other to say yes."""
    made = [verdict for letter, _, check in writers(policies, relation) if letter == "a" for verdict in check.verdicts]
    return bool(made) and all(_mine(verdict) & decision.scopes for verdict in made)


def _mine(verdict: Verdict) -> set[str]:
    """The row's columns that must be the writer."""
    return {
        source.name
        for atom in verdict.branch
        if isinstance(atom, Link) and {s.kind for s in atom.left.sources | atom.right.sources} == {"row", "me"}
        for source in atom.left.sources | atom.right.sources
        if source.kind == "row"
    }


def _of_row(atom: Atom) -> bool:
    return isinstance(atom, Limit) and all(source.kind == "row" for source in atom.value.sources)


def _kept(verdict: Verdict, relation: Relation, column: str) -> bool:
    """Whether a column is compared with what it was, in the writer's own row."""
    for atom in verdict.branch:
        if isinstance(atom, Link):
            kinds = {source.kind: source for source in atom.left.sources | atom.right.sources}
            if set(kinds) == {"row", "tuple"} and kinds["row"].name == kinds["tuple"].name == column:
                return any(decision.relation.oid == relation.oid for decision in verdict.decisions)
    return False


def _decided(verdict: Verdict, relation: Relation, column: str, uses: list[tuple[Decision, str]]) -> bool:
    """Whether a way to write asks for more than that the row is the writer's own."""
    if verdict.kind in ("dead", "role", "function") or _kept(verdict, relation, column):
        return True
    if speaks(verdict, column):
        powers = {name for decision, _ in uses for name in decision.limits}
        through = [d for d in verdict.decisions if d.relation.oid == relation.oid]
        # A member who may write every member's row: only one whose role is asked for may.
        return column not in powers or not through or any(d.limits for d in through)
    powers = {name for decision, _ in uses for name in decision.limits}
    return any(
        (decision.limits or decision.relation.oid != relation.oid)
        and not (column in powers and _invites(decision, relation, column))
        for decision in verdict.decisions
    )


def _invites(decision: Decision, relation: Relation, column: str) -> bool:
    """Whether a row lets the caller join, and may say as what, which is not compared."""
    asks = decision.relation
    if asks.oid == relation.oid or column in decision.limits:
        return False
    return column in asks.fields or _INVITATION.search(asks.name) is not None
