"""Rules: what is done also, or instead, with the rights of the owner of the table or view that is written."""

import re
from collections.abc import Iterator
from typing import Any

from userscope.audit.judge.catalog import Relation
from userscope.audit.judge.policies import Policies
from userscope.audit.judge.rules.access import names, reached
from userscope.audit.judge.rules.functions import hidden
from userscope.audit.judge.rules.texts import asks_who, named
from userscope.audit.model import Finding
from userscope.postgres.sql import ident

RULES = ("rule_definer",)
_HEAD = re.compile(r"^.*?\bON (?:INSERT|UPDATE|DELETE)\s+TO\s+", re.DOTALL)
_BOUND = re.compile(r"=\s*\(?old\.|\bold\.\w+\)?\s*=")
"""Rows of the statement's own, which policies or the view have let pass."""
_SHOWS = re.compile(r"\bRETURNING\b|\bDO\s+(?:INSTEAD\s+)?\(?\s*(?:SELECT|WITH|VALUES)\b|;\s*SELECT\b")
_CHANGES = re.compile(r"\b(?:UPDATE|DELETE FROM)\s")


def findings(policies: Policies) -> Iterator[Finding]:
    """Ask what rules do for whom."""
    if policies.profile.strict:
        return
    for row in policies.catalog.rewrites:
        relation = policies.catalog.relations.get(row["relation"])
        if relation is None or relation.schema in policies.profile.brought:
            continue
        services = [
            one
            for one in reached(policies, relation, row["letter"])
            if relation.owner not in policies.catalog.roles[one].becomes
        ]
        why = _why(policies, relation, row) if services else ""
        if why:
            yield Finding(
                "error",
                "rule_definer",
                f"rule {ident(row['name'])} on {relation.full}",
                "a rule acts with its owner's rights",
                f"{names(policies, services)} may set it off, and {why}.",
                f"drop rule {ident(row['name'])} on {relation.full}, and let a trigger do it as who writes",
            )


def _why(policies: Policies, relation: Relation, row: dict[str, Any]) -> str:
    """What a rule shows or writes that policies keep from whoever sets it off."""
    text = _HEAD.sub("", row["definition"])
    if asks_who(policies, text) or _BOUND.search(text):
        return ""
    written, read = named(policies, relation.schema, text, relation.owner)
    kept = sorted({one.full for one in read if hidden(policies, one)})
    condition, _, action = text.partition(" DO ")
    copied = any(reached(policies, one, "r") and not (one.secured and hidden(policies, one)) for one in written)
    if kept and (copied or _SHOWS.search(f" DO {action}") or any(name in condition for name in kept)):
        return f"it shows {', '.join(kept)}, and asks nobody who they are"
    secured = sorted({one.full for one in written if one.secured})
    if secured and (row["instead"] or _CHANGES.search(action)):
        return f"it writes to {', '.join(secured)}, and asks nobody who they are"
    return ""
