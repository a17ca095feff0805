"""Policies: open, public by design, decided by a function, by a claim that its subject edits, or never answered."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator

from userscope.audit.judge.catalog import Relation
from userscope.audit.judge.policies import Clause, Policies
from userscope.audit.judge.rules.words import LIVENESS, OWNERS, PRIVATE, PUBLIC_FLAGS, SENSITIVE, SOCIAL
from userscope.audit.judge.terms import Limit, sources_of
from userscope.audit.judge.verdict import MUTABLE, Verdict
from userscope.audit.model import Finding
from userscope.audit.names import NOBODYS_BUSINESS
from userscope.postgres.sql import ident

RULES = (
    "mutable_claim",
    "policy_function",
    "policy_open",
    "policy_public",
    "policy_unreadable",
    "policy_write_wider",
)


def findings(policies: Policies) -> Iterator[Finding]:
    """Judge every clause of every policy that serves a service."""
    by_function: dict[int, set[str]] = defaultdict(set)
    for clause in policies.judged():
        if clause.unread:
            yield Finding(
                "warning",
                "policy_unreadable",
                clause.object,
                f"{clause.name} could not be read",
                f"It says: {clause.text[:300]} ({clause.unread}).",
                "write it as a comparison of a column with the identity, or prove it by tests",
            )
            continue
        claims = sorted({claim for verdict in clause.verdicts for claim in verdict.claims if MUTABLE.search(claim)})
        if claims:
            edited = any("meta" in claim for claim in claims)
            yield Finding(
                "error",
                "mutable_claim",
                clause.object,
                f"{clause.name} believes {'user_metadata, which the user edits' if edited else 'what a client sends'}",
                f"It reads {', '.join(claims)}: "
                + ("auth.updateUser() changes that." if edited else "whoever asks writes that."),
                "read app_metadata, which only the server writes, or a table of memberships",
            )
        for verdict in clause.verdicts:
            for oid in verdict.functions:
                by_function[oid].add(clause.object)
        if not clause.walled:
            found = opened(policies, clause)
            if found:
                yield found
    for oid, objects in sorted(by_function.items()):
        function = policies.catalog.functions[oid]
        if function.entry not in policies.profile.accepted:
            mark = hashlib.sha256(function.body.encode()).hexdigest()[:8]
            yield Finding(
                "warning",
                "policy_function",
                f"function {function.signature} as of {mark}",
                "decides for policies, and could not be read",
                f"It is believed by {', '.join(sorted(objects))}.",
                "read it, and accept it: when its body changes, it is reported again",
            )


def opened(policies: Policies, clause: Clause) -> Finding | None:
    """Judge what does not tie a row to its user."""
    worst = max(clause.verdicts, key=lambda one: (one.badness, _weight(one)), default=Verdict("dead"))
    strict = policies.profile.strict
    if worst.kind in ("dead", "tied") or (worst.kind == "function" and not strict):
        return None
    if worst.kind == "role" and not strict:
        return Finding(
            "info",
            "policy_public",
            clause.object,
            f"{clause.name} is decided by who asks",
            f"{worst.why.capitalize()}: {clause.text[:300]}",
            "accept it with the reason, once it is certain who gets there",
        )
    always = worst.kind == "public" and not worst.flags and not worst.rows
    words = (
        "is always true"
        if always
        else "can be true without an identity"
        if worst.why == "without"
        else "is not tied to the identity"
    )
    level = "error" if strict or worst.kind == "open" else public_level(policies, clause, worst)
    narrow = (
        clause.name == "WITH CHECK" and clause.policy.command in ("w", "*") and clause.policy.using and level == "error"
    )
    using = policies.clause(clause.relation, clause.policy, "USING", clause.services) if narrow else None
    if using and using.worst.kind == "tied" and _stays(using) and not strict:
        return None
    wider = using is not None and using.worst.kind in ("tied", "role") and not strict
    why = "" if worst.why == "without" else f" ({worst.why})" if worst.why else ""
    return Finding(
        level,
        "policy_write_wider" if wider else "policy_open" if level == "error" else "policy_public",
        clause.object,
        "WITH CHECK is wider than USING" if wider else f"{clause.name} {words}",
        f"Rows pass that are not the user's: {clause.text[:400]}{why}".strip() + ("" if why else "."),
        f"alter policy {ident(clause.policy.name)} on {clause.relation.full} {clause.name.lower()} (… = (select …))"
        if level == "error"
        else "accept it with the reason, if everybody is meant to",
    )


def _stays(clause: Clause) -> bool:
    """Whether nobody may change what makes a row the caller's, so that it stays so whatever is written."""
    sources = {source for verdict in clause.verdicts for source in sources_of(verdict.branch)}
    names = {source.name for source in sources if source.kind == "row"}
    return not any(
        (clause.policy.command == "*" and clause.relation.may(service, "a"))
        or any(clause.relation.may(service, "w", name) for name in names)
        for service in clause.services
    )


def _of_somebody(policies: Policies, relation: Relation) -> bool:
    """Whether rows hang on what has owners, and is shown to them alone."""
    parents = [parent for key in relation.foreign if (parent := policies.catalog.relations.get(key.target or 0))]
    return any(parent.secured and owned_by(policies, parent) and shown_to_some(policies, parent) for parent in parents)


def shown_to_some(policies: Policies, relation: Relation) -> bool:
    """Whether a table's rows are read, and not everybody's by everybody."""
    reads = policies.reads(relation)
    return bool(reads) and all(c.worst.kind in ("tied", "role", "dead") or c.walled for c in reads)


def _weight(verdict: Verdict) -> int:
    """Among public ones: how many rows pass."""
    return 2 if not verdict.flags else 1 if not any(PUBLIC_FLAGS.search(flag) for flag in verdict.flags) else 0


def public_level(policies: Policies, clause: Clause, verdict: Verdict) -> str:
    """How wrong it is that nothing is asked of the caller."""
    relation, command = clause.relation, clause.policy.command
    owned = owned_by(policies, relation)
    writes = command in ("w", "d", "*") or clause.name == "WITH CHECK"
    may = any(
        relation.may(service, letter)
        for service in clause.services
        for letter in ("awd" if command == "*" else command if command != "r" else "")
    )
    flags = verdict.flags - owned
    flagged = any(PUBLIC_FLAGS.search(flag) for flag in flags)  # what else is asked leaves fewer rows
    if relation.schema in policies.profile.stores and clause.name == "WITH CHECK" and command in ("a", "w"):
        return "warning"
    if command in ("w", "d", "*") and writes and may:
        own = verdict.rows and flagged  # through a parent that says so of itself: shared for editing
        return "warning" if own or (clause.name == "WITH CHECK" and _same_row(clause, verdict)) else "error"
    if command == "a":
        if verdict.rows and flagged:
            return "warning"
        return "error" if owned or _of_somebody(policies, relation) else "warning"
    if _inherited(policies, clause) and owned:
        return "error"
    if owned and verdict.rows and (_finds_itself(clause, verdict) or _finds_any(policies, clause, verdict)):
        return "error"
    if flags:
        beside = _siblings(policies, clause) or any(one.kind == "tied" for one in clause.verdicts)
        if not flagged and any(LIVENESS.search(flag) for flag in flags) and (beside or owned):
            return "error"
        if flagged or not owned:
            return "info"
        return "error" if beside and not verdict.rows else "warning"
    if not owned:
        return (
            "warning" if any(re.search(NOBODYS_BUSINESS, name, re.IGNORECASE) for name in relation.fields) else "info"
        )
    if (verdict.signed or clause.text != "true") and not SOCIAL.search(relation.name):
        return "error"  # somebody meant to ask something, and it asks nothing of the row
    sensitive = PRIVATE.search(relation.name) or any(SENSITIVE.search(name) for name in relation.fields)
    return "error" if sensitive or _siblings(policies, clause) else "warning"


def owned_by(policies: Policies, relation: Relation) -> set[str]:
    """The columns that say whose a row is."""
    found = policies.catalog.persons(relation)
    found |= {name for name in relation.fields if OWNERS.search(name)}
    found |= {name for name, column in relation.fields.items() if "auth.uid()" in (column.default or "")}
    return found


def _same_row(clause: Clause, verdict: Verdict) -> bool:
    """Whether a row is compared with what it was, by its key."""
    return any(found.oid == clause.relation.oid for found in verdict.relations)


def _finds_itself(clause: Clause, verdict: Verdict) -> bool:
    """Whether the row is looked up in its own table, and nothing is asked of it there."""
    alone = all(found.oid == clause.relation.oid for found in verdict.relations)
    return alone and bool(verdict.relations) and not any(isinstance(atom, Limit) for atom in verdict.branch)


def _finds_any(policies: Policies, clause: Clause, verdict: Verdict) -> bool:
    """Whether somebody meant to ask who acts, and all that is asked is that there is what a row refers to."""
    limited = any(isinstance(atom, Limit) for atom in verdict.branch)
    asked = any(f"{name}(" in clause.text for name in policies.profile.functions) or "current_setting(" in clause.text
    return asked and not limited and all(_whole(policies, found) for found in verdict.relations)


def _whole(policies: Policies, relation: Relation) -> bool:
    """Whether everybody finds each of a table's rows."""
    return not relation.secured or any(
        c.worst.kind == "public" and not c.worst.flags and not c.walled for c in policies.reads(relation)
    )


def _inherited(policies: Policies, clause: Clause) -> bool:
    """Whether the policy is for a role that a service is a member of, which is easily overlooked."""
    return not set(clause.policy.roles) & {0, *policies.services}


def _siblings(policies: Policies, clause: Clause) -> bool:
    """Whether another policy for the same command ties the rows that this one opens."""
    return any(
        other.policy is not clause.policy
        and other.name == clause.name
        and other.policy.command == clause.policy.command
        and other.worst.kind == "tied"
        for other in policies.of(clause.relation)
    )
