"""Policies that are never answered: reading a table asks what reads it again."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from userscope.audit.judge.catalog import Relation
from userscope.audit.judge.policies import Clause, Policies
from userscope.audit.model import Finding

RULES = ("policy_recursion",)
_READ = re.compile(r'\b(?:FROM|JOIN)\s+\(*((?:"?\w+"?\.)?"?\w+"?)', re.IGNORECASE)
_CALLED = re.compile(r"(\w+)\s*\(")
_DEEP = 3


class Reading(NamedTuple):
    """A policy that reads a table, itself or by a function that runs as its caller."""

    policy: str
    certain: bool
    function: str = ""


def findings(policies: Policies) -> Iterator[Finding]:
    """Follow which tables policies for reading read: 42P17, or 54001, when the first row is asked for."""
    reads: dict[int, dict[int, Reading]] = defaultdict(dict)
    for clause in policies.judged():
        if clause.reads:
            for target, function in _read(policies, clause.text, clause.relation.schema):
                certain = not function or _only(policies, clause)
                reads[clause.relation.oid].setdefault(target.oid, Reading(clause.object, certain, function))
    for start, targets in sorted(reads.items()):
        seen, open_ = set[int](), list(targets)
        while open_:
            one = open_.pop()
            if one not in seen:
                seen.add(one)
                open_ += reads.get(one, {})
        if start in seen:
            back = [found for target, found in targets.items() if target == start or start in reads.get(target, {})]
            first = min(back or targets.values(), key=lambda found: (bool(found.function), found.policy))
            by = f", by {first.function}, which runs as its caller" if first.function else ""
            yield Finding(
                "error" if first.certain else "warning",
                "policy_recursion",
                first.policy,
                "reads its own table through policies",
                f"Reading {policies.catalog.relations[start].full}{by} fails: infinite recursion in its policy.",
                "ask a SECURITY DEFINER function whose owner is above row-level security",
            )


def _read(
    policies: Policies, text: str, near: str, function: str = "", deep: int = _DEEP
) -> Iterator[tuple[Relation, str]]:
    for name in _READ.findall(text):
        target = policies.catalog.relation([part.strip('"') for part in name.split(".")], near)
        if target and target.secured:
            yield target, function
    for name in sorted(set(_CALLED.findall(text))) if deep else ():
        for one in policies.catalog.called.get(name, []):
            if not one.definer and one.schema not in policies.profile.brought:
                yield from _read(policies, one.body, one.schema, function or one.signature, deep - 1)


def _only(policies: Policies, clause: Clause) -> bool:
    """Whether nothing else lets a row be read before the function is asked."""
    return len(policies.reads(clause.relation)) == 1 and len(clause.verdicts) == 1
