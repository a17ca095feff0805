"""What a service writes: flags that show a row to everybody, parents, keys that tell."""

from collections.abc import Iterator

from userscope.audit.judge.catalog import Policy, Relation
from userscope.audit.judge.policies import Clause, Policies
from userscope.audit.judge.rules.policy import owned_by, shown_to_some
from userscope.audit.judge.rules.words import GIVEN
from userscope.audit.judge.terms import Link, sources_of
from userscope.audit.judge.verdict import Verdict
from userscope.audit.model import Finding

RULES = ("flag_writable", "key_unique", "parent_unchecked")


def findings(policies: Policies) -> Iterator[Finding]:
    """Ask what is written."""
    for relation in policies.catalog.relations.values():
        if relation.secured and relation.kind in ("r", "p") and relation.schema not in policies.profile.brought:
            clauses = policies.of(relation)
            yield from _flags(policies, relation, clauses)
            yield from _parents(policies, relation, clauses)
            yield from _unique(policies, relation, clauses)


def writers(policies: Policies, relation: Relation) -> Iterator[tuple[str, Policy, Clause]]:
    """What a service may write to a table: the command's letter, the policy, and what the new row must pass."""
    for policy in relation.policies:
        if policy.permissive:
            for letter in "aw":
                check = policies.effective_check(relation, policy)
                if policy.serves(letter) and check and not check.walled:
                    yield letter, policy, check


def speaks(verdict: Verdict, column: str) -> bool:
    """Whether a way to pass says something of a column of the row."""
    return any(source.kind == "row" and source.name == column for source in sources_of(verdict.branch))


def guarded(policies: Policies, relation: Relation, column: str) -> bool:
    """Whether a trigger looks at the column before it is written."""
    bodies = [
        policies.catalog.functions[oid].body.lower() for oid in relation.triggers if oid in policies.catalog.functions
    ]
    return any(f"new.{column}" in body for body in bodies)


def _flags(policies: Policies, relation: Relation, clauses: list[Clause]) -> Iterator[Finding]:
    """Rows that say of themselves that they are the system's: may anybody say so?"""
    flags = {
        flag
        for clause in clauses
        if clause.reads
        for verdict in clause.verdicts
        if verdict.kind == "public"
        for flag in verdict.flags
        if GIVEN.search(flag)
    }
    for letter, _, check in writers(policies, relation):
        for flag in sorted(flags):
            if (
                any(relation.may(s, letter, flag) for s in check.services)
                and any(verdict.kind == "tied" and not speaks(verdict, flag) for verdict in check.verdicts)
                and not guarded(policies, relation, flag)
            ):
                yield Finding(
                    "warning",
                    "flag_writable",
                    check.object,
                    f"lets everybody set {flag}, which shows a row to everybody",
                    f"{check.name} says nothing of {flag}: a user can plant rows that look like the system's.",
                    f"grant the other columns alone, or add: and not {flag}",
                )


def _parents(policies: Policies, relation: Relation, clauses: list[Clause]) -> Iterator[Finding]:
    """Rows that are hung on another row: is it asked whose that is?"""
    through = {
        source.name
        for clause in clauses
        if clause.reads
        for verdict in clause.verdicts
        if verdict.kind == "tied"
        for atom in verdict.branch
        if isinstance(atom, Link) and {"row", "tuple"} == {s.kind for s in atom.left.sources | atom.right.sources}
        for source in atom.left.sources | atom.right.sources
        if source.kind == "row"
    }
    told: set[tuple[str | None, str]] = set()
    for letter, policy, check in writers(policies, relation):
        for key in relation.foreign:
            parent = policies.catalog.relations.get(key.target or 0)
            column = key.columns[0] if len(key.columns) == 1 else None
            if (
                not parent
                or not column
                or not parent.secured
                or parent.schema in policies.profile.own
                or (column, check.object) in told
            ):
                continue
            if not any(relation.may(service, letter, column) for service in check.services) or not shown_to_some(
                policies, parent
            ):
                continue
            free = [v for v in check.verdicts if v.kind == "tied" and not speaks(v, column)]
            if letter == "w" and policy.check is None and not free:
                continue
            if not free or guarded(policies, relation, column):
                continue
            told.add((column, check.object))
            seen = column in through
            yield Finding(
                "error" if seen else "warning",
                "parent_unchecked",
                check.object,
                f"does not ask whose {parent.full} a row is hung on",
                f"{check.name} says nothing of {column}: "
                + (
                    "who reads the parent's rows reads what others put there."
                    if seen
                    else "a row can be hung on a hidden parent, and so tells that it exists."
                ),
                f"add: and exists (select from {parent.full} … where … = {column})",
            )
    yield from _placed(policies, relation, through, told)


def _placed(
    policies: Policies, relation: Relation, through: set[str], told: set[tuple[str | None, str]]
) -> Iterator[Finding]:
    """The same of a column that memberships are asked by, and that refers to no table."""
    referring = {column for key in relation.foreign for column in key.columns}
    referring |= {key.columns[0] for key in relation.unique if len(key.columns) == 1}  # nobody takes what somebody has
    for letter, _, check in writers(policies, relation):
        for column in sorted(through - referring):
            free = [v for v in check.verdicts if v.kind == "tied" and not speaks(v, column)]
            may = any(relation.may(service, letter, column) for service in check.services)
            if (column, check.object) in told or not free or not may or guarded(policies, relation, column):
                continue
            told.add((column, check.object))
            yield Finding(
                "error",
                "parent_unchecked",
                check.object,
                f"does not ask whose {column} a row is put under",
                f"{check.name} says nothing of {column}: whoever reads by it reads what others put there.",
                f"ask in {check.name} what reading asks of {column}",
            )


def _unique(policies: Policies, relation: Relation, clauses: list[Clause]) -> Iterator[Finding]:
    """Unique keys over everybody's rows: an insert tells whether a value is there."""
    if not shown_to_some(policies, relation):
        return
    owners = owned_by(policies, relation)
    for key in relation.unique:
        columns = [column for column in key.columns if column]
        if (
            len(columns) < len(key.columns)
            or owners & set(columns)
            or any(relation.fields[c].type == "uuid" for c in columns)
        ):
            continue
        if all(
            any(relation.may(s, letter, c) for s in policies.services for letter in "aw") for c in columns
        ) and _tied(clauses):
            yield Finding(
                "warning",
                "key_unique",
                relation.full,
                f"{key.name} tells whether somebody else has a value",
                f"An insert of a hidden row's {', '.join(columns)} fails with 23505.",
                f"lead the key by the owner: unique ({', '.join([*sorted(owners)[:1], *columns])})",
            )


def _tied(clauses: list[Clause]) -> bool:
    return any(clause.worst.kind == "tied" for clause in clauses)
