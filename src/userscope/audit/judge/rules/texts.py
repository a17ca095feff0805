"""What the text of a function's body says: whom it asks, and which tables it touches."""

import re

from userscope.audit.judge.catalog import Function, Relation
from userscope.audit.judge.policies import Policies

_WRITES = re.compile(
    r"\b(?:insert\s+into|update|delete\s+from|truncate(?:\s+table)?|merge\s+into)\s+(?:only\s+)?((?:\"?\w+\"?\.)?\"?\w+\"?)",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"(?=\b(?:from|using|table)\b([^;]*?)(?:\b(?:where|group|order|having|limit|union|on\s+conflict|returning|loop)\b|;|$))",
    re.IGNORECASE,
)
_READS = re.compile(r"(?:^|,|\bjoin\b)[\s(]*(?:(?:only|lateral)\b[\s(]*)?((?:\"?\w+\"?\.)?\"?\w+\"?)", re.IGNORECASE)
IDENTITY = re.compile(r"auth\.(uid|jwt|user_id|role|email)\s*\(|current_setting\s*\(|\bjwt\b", re.IGNORECASE)
_SIGNED = re.compile(
    r"auth\.\w+\s*\(\s*\)\s*\)?\s*(?:is\s+(?:not\s+)?null\b|(?:=|<>|!=)\s*'(?:authenticated|anon)')|\braise\b[^;]*;",
    re.IGNORECASE,
)
"""What asks only whether there is an identity, or tells of it."""
_ASSIGNED = re.compile(r"(\w+)\s*(?:\buuid\s*:?=|:=)\s*(?:\(\s*select\s+)?auth\.\w+\s*\(\s*\)", re.IGNORECASE)
_CALLS = re.compile(r"(?:(\w+)\.)?(\w+)\s*\(")


def plain(body: str) -> str:
    """A body without comments."""
    return re.sub(r"--[^\n]*|/\*.*?\*/", " ", body, flags=re.DOTALL)


def asks_who(policies: Policies, body: str, caller: int = 0, deep: int = 4) -> bool:
    """Whether a body asks who acts, and not only whether anybody does, itself or by what it calls."""
    body = _SIGNED.sub(" ", body)
    for name in _ASSIGNED.findall(body):
        rest = re.sub(rf"\b{name}\b\s*(?:is\s+(?:not\s+)?null\b|(?:uuid\s*)?:?=)", " ", body, flags=re.IGNORECASE)
        if not re.search(rf"\b{name}\b(?!\s+uuid\s*;)", rest, re.IGNORECASE):
            body = _ASSIGNED.sub(" ", body)
    if IDENTITY.search(body):
        return True
    if any(f"{name}(" in body for name in policies.profile.functions):
        return True
    others = _called(policies, body, caller) if deep else []
    return any(asks_who(policies, plain(other.body), other.oid, deep - 1) for other in others)


def _called(policies: Policies, body: str, caller: int = 0) -> list[Function]:
    """The functions of somebody's own that a body calls."""
    return [
        other
        for schema, name in sorted(set(_CALLS.findall(body)))
        for other in policies.catalog.called.get(name, [])
        if schema in ("", other.schema) and other.oid != caller
    ]


def touched(policies: Policies, function: Function, owner: int, deep: int = 3) -> tuple[list[Relation], list[Relation]]:
    """Which tables a function writes and reads that do not bind ``owner``, itself, by views and by what it calls."""
    written, read = named(policies, function.schema, plain(function.body), owner)
    for other in _called(policies, plain(function.body), function.oid) if deep else []:
        if other.schema not in policies.profile.brought:
            more = touched(policies, other, other.owner if other.definer else owner, deep - 1)
            written, read = written + more[0], read + more[1]
    return written, read


def named(policies: Policies, near: str, body: str, owner: int) -> tuple[list[Relation], list[Relation]]:
    """Which tables a text writes and reads that do not bind ``owner``, itself and by views."""
    reads = [name for clause in _FROM.findall(body) for name in _READS.findall(clause)]
    written = [one for name in _WRITES.findall(body) for one in _tables(policies, near, name, owner)]
    return written, [one for name in reads for one in _tables(policies, near, name, owner)]


def _tables(policies: Policies, near: str, name: str, reader: int) -> list[Relation]:
    """The table of a name, or those behind a view of it, that do not bind who reads."""
    parts = [part.strip('"') for part in name.split(".")]
    found = policies.catalog.relation(parts, near)
    return [] if found is None else _behind(policies, found, reader)


def _behind(policies: Policies, relation: Relation, reader: int) -> list[Relation]:
    if relation.kind in ("r", "p"):
        return [relation] if policies.catalog.above(reader, relation) else []
    if relation.kind != "v" or IDENTITY.search(relation.definition or ""):
        return []
    reader = reader if relation.invoker else relation.owner
    sources = [policies.catalog.relations[oid] for oid in relation.sources if oid in policies.catalog.relations]
    return [table for source in sources for table in _behind(policies, source, reader)]


def runs(function: Function, body: str) -> bool:
    """Whether EXECUTE is given an argument itself, or a text with one in it that nothing has quoted."""
    given = {name for name, kind in zip(function.inputs, function.types, strict=False) if name and kind == "text"}
    for run in re.findall(r"\bexecute\b([^;]*)", body, re.IGNORECASE):
        text = re.sub(r"\b(quote_\w+|format)\s*\([^()]*(\([^()]*\)[^()]*)*\)|\busing\b.*|\binto\b\s+\w+", " ", run,
                      flags=re.IGNORECASE | re.DOTALL)  # fmt: skip
        if set(re.findall(r"\w+", re.sub(r"'[^']*'", " ", text))) & given:
            return True
        if re.search(r"\bformat\s*\([^;]*%s", run, re.IGNORECASE) and set(re.findall(r"\w+", run)) & given:
            return True
    return False
