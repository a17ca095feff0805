"""Self-promotion by a trigger: what a user writes in one place is carried to where it decides."""

import re
from collections.abc import Iterator

from userscope.audit.judge.catalog import Function, Relation
from userscope.audit.judge.policies import Clause, Policies
from userscope.audit.judge.rules.writes import speaks, writers
from userscope.audit.model import Finding

_EVENTS = {"a": 4, "w": 16}
"""pg_trigger.tgtype says by these bits what fires a trigger."""
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_SET = re.compile(r"(?:;|\bthen|\belse|\bbegin)\s*new\.(\w+)\s*:?=\s*new\.(\w+)")
_INSERT = re.compile(r"\binsert\s+into\s+([\w.]+)\s*\(([^()]*)\)\s*values\s*\(((?:[^()]|\([^()]*\))*)\)")
_UPDATE = re.compile(r"\bupdate\s+([\w.]+)\s+(?:as\s+\w+\s+)?set\s+([^;]*)")
_NEW = re.compile(r"new\.(\w+)(?:::\w+)?")
_ASKED = re.compile(r"\bif\b(.*?)\bthen\b", re.DOTALL)
_IDENTITY = re.compile(r"auth\.\w+\s*\(|current_setting\s*\(|current_user|session_user")

type Copy = tuple[Relation, str, str]
"""To which table and column a column is copied."""


def carried(policies: Policies) -> Iterator[Finding]:
    """Ask of each trigger whether it copies what its table's writers say to where policies believe it."""
    believed = policies.decisions()
    for relation in policies.catalog.relations.values():
        for oid, events in relation.fired if relation.secured else ():
            function = policies.catalog.functions.get(oid)
            if function is None:
                continue
            body = _COMMENTS.sub(" ", function.body).replace('"', "").lower()
            for target, column, source in _copies(policies, relation, function, body):
                who = {who for one, who in believed.get(target.oid, []) if column in one.limits | one.scopes}
                check = _free(policies, relation, source, body, events) if who else None
                if check:
                    place = "" if target is relation else f"{target.full}."
                    yield Finding(
                        "error",
                        "self_promotion",
                        relation.full,
                        f"who writes {source} writes {place}{column}, which decides",
                        f"{check.object} says nothing of {source}, function {function.signature} copies it, and "
                        f"{', '.join(sorted(who)[:4])} believe{'s' if len(who) == 1 else ''} it.",
                        f"ask in {check.object} for {source}, or let the trigger ask who may say it",
                    )
                    break


def alone(relation: Relation, column: str) -> bool:
    """Whether a column is a key by itself, so that nobody can take what somebody has."""
    return any(key.columns == [column] for key in relation.unique)


def _copies(policies: Policies, relation: Relation, function: Function, body: str) -> Iterator[Copy]:
    for column, source in _SET.findall(body):
        yield relation, column, source
    if not function.definer:
        return
    for name, columns, values in _INSERT.findall(body):
        target = policies.catalog.relation(name.split("."), function.schema)
        pairs = zip(columns.split(","), re.split(r",(?![^()]*\))", values), strict=False)
        for column, value in pairs if target else ():
            if target and (copied := _NEW.fullmatch(value.strip())):
                yield target, column.strip(), copied[1]
    for name, settings in _UPDATE.findall(body):
        target = policies.catalog.relation(name.split("."), function.schema)
        for column, source in re.findall(r"(\w+)\s*=\s*new\.(\w+)", settings.partition(" where ")[0]):
            if target:
                yield target, column, source


def _free(policies: Policies, relation: Relation, source: str, body: str, events: int) -> Clause | None:
    """The policy by which a service writes a column that it says nothing of, so that the trigger copies it."""
    conditions = " ".join(_ASKED.findall(body))
    if alone(relation, source) or _IDENTITY.search(conditions) or (conditions and "raise exception" in body):
        return None
    asked = {name for name in re.findall(r"new\.(\w+)", conditions) if name != source}
    for letter, _, check in writers(policies, relation):
        may = [who for who in check.services if relation.may(who, letter, source)]
        if not events & _EVENTS[letter] or not may:
            continue
        if any(not any(relation.may(who, letter, name) for who in may) for name in asked):
            continue
        for verdict in check.verdicts:
            said = any(speaks(verdict, name) for name in {source, *asked})
            if verdict.kind not in ("dead", "role", "function") and not said:
                return check
    return None
