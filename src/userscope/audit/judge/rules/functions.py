"""Functions: what a service may run with its owner's rights, who may say who acts, helpers that plans keep."""

import re
from collections.abc import Iterator

from userscope.audit.judge.catalog import Function, Relation
from userscope.audit.judge.policies import Policies
from userscope.audit.judge.rules.access import names
from userscope.audit.judge.rules.words import POWERS
from userscope.audit.model import Finding

RULES = (
    "function_definer",
    "function_leakproof",
    "function_search_path",
    "identity_immutable",
    "identity_settable",
    "signup_metadata",
)
_WRITES = re.compile(r"\b(insert\s+into|update|delete\s+from)\s+(?:only\s+)?((?:\"?\w+\"?\.)?\"?\w+\"?)", re.IGNORECASE)
_READS = re.compile(r"\b(?:from|join)\s+((?:\"?\w+\"?\.)?\"?\w+\"?)", re.IGNORECASE)
_IDENTITY = re.compile(r"auth\.(uid|jwt|user_id|role|email)\s*\(|current_setting\s*\(|\bjwt\b", re.IGNORECASE)
_NOBODY = re.compile(r"auth\.(?:uid|user_id)\(\)\s*(?:\)\s*)?is\s+not\s+null\s+and\b", re.IGNORECASE)
_COUNTER = re.compile(r"set\s+(\w+)\s*=\s*(?:coalesce\()?\s*\w*\.?\1\b[^;]*?[+-]", re.IGNORECASE)
_TOKEN = re.compile(r"token|code|secret|hash|slug", re.IGNORECASE)


def findings(policies: Policies) -> Iterator[Finding]:
    """Ask what functions do for whom."""
    settings = _settings(policies)
    for function in policies.catalog.functions.values():
        if function.schema in policies.profile.brought:
            continue
        schema = policies.catalog.schemas.get(function.schema)
        runners = [s for s in policies.services if s in function.runners and schema and s in schema.entered]
        if not policies.profile.strict:
            yield from _definer(policies, function, [] if function.triggers else runners)
            yield from _settable(policies, function, [] if function.triggers else runners, settings)
            yield from _signup(function)
        yield from _kinds(policies, function, runners)


def _definer(policies: Policies, function: Function, runners: list[int]) -> Iterator[Finding]:
    if not function.definer:
        return
    if not any(setting.startswith("search_path=") for setting in function.settings) and (runners or function.triggers):
        yield Finding(
            "warning",
            "function_search_path",
            f"function {function.signature}",
            "a definer function has no pinned search_path",
            "Its caller chooses what its names mean.",
            f"alter function {function.signature} set search_path = ''",
        )
    if not runners:
        return
    body = _plain(function.body)
    written = [found for verb in _WRITES.finditer(body) if (found := _table(policies, function, verb.group(2)))]
    read = [found for name in _READS.findall(body) if (found := _table(policies, function, name))]
    written, read = ([one for one in some if policies.catalog.above(function.owner, one)] for some in (written, read))
    asks = _asks(policies, function, body)
    anonymous = [s for s in runners if policies.catalog.roles[s].name in ("anon", "anonymous", "web_anon")]
    why = ""
    level = "error"
    if written and asks and anonymous and _NOBODY.search(body):
        why = "its guard lets whoever has no identity pass"
    elif function.entry in policies.profile.accepted:
        return
    elif written and not asks:
        why = f"it writes to {', '.join(sorted({one.full for one in written}))}, and asks nobody who they are"
        harmless = not function.arguments or bool(_COUNTER.search(body))
        level = "warning" if harmless or any(_TOKEN.search(name) for name in function.inputs) else "error"
    elif (
        read
        and not asks
        and function.returns not in ("boolean", "void")
        and any(_hidden(policies, one) for one in read)
    ):
        hidden = sorted({one.full for one in read if _hidden(policies, one)})
        why = f"it shows {', '.join(hidden)}, and asks nobody who they are"
        level = "warning" if any(_TOKEN.search(name) for name in function.inputs) or _lookup(function) else "error"
    elif (
        "execute" in body.lower()
        and function.language == "plpgsql"
        and re.search(r"\bexecute\b(?!\s+(function|procedure|on))", body, re.IGNORECASE)
        and any(kind == "text" for kind in function.types)
    ):
        why, level = "it runs a text that may be what it is given", "error" if _runs(function, body) else "warning"
    if why:
        yield Finding(
            level,
            "function_definer",
            f"function {function.signature}",
            "a service can run a function with its owner's rights",
            f"{names(policies, runners)} may execute it, and {why}.",
            f"ask for the identity in it, or revoke execute on function {function.signature} from …",
        )


def _hidden(policies: Policies, relation: Relation) -> bool:
    """Whether a table's rows are not everybody's anyway."""
    if not relation.secured:
        return relation.schema in policies.profile.own
    return all(c.worst.kind in ("tied", "role", "function", "dead") for c in policies.reads(relation))


def _lookup(function: Function) -> bool:
    """Whether it answers with one value of one row that its caller names: a helper of policies, mostly."""
    return not function.many and function.arguments > 0 and function.returns not in ("record", "json", "jsonb")


def _asks(policies: Policies, function: Function, body: str, deep: int = 4) -> bool:
    """Whether a body asks who acts, itself or by what it calls."""
    if _IDENTITY.search(body):
        return True
    if any(f"{name}(" in body for name in policies.profile.functions):
        return True
    if not deep:
        return False
    called = {
        name for name in re.findall(r"\b(\w+)\s*\(", body) if name in policies.catalog.called and name != function.name
    }
    return any(
        _asks(policies, other, _plain(other.body), deep - 1)
        for name in called
        for other in policies.catalog.called[name]
        if other.oid != function.oid
    )


def _runs(function: Function, body: str) -> bool:
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


def _table(policies: Policies, function: Function, name: str) -> Relation | None:
    parts = [part.strip('"') for part in name.split(".")]
    found = policies.catalog.relation(parts, function.schema)
    return found if found and found.kind in ("r", "p") else None


def _plain(body: str) -> str:
    """A body without comments and texts."""
    return re.sub(r"--[^\n]*|/\*.*?\*/", " ", body, flags=re.DOTALL)


def _settings(policies: Policies) -> set[str]:
    """The settings that policies believe, themselves or through what they call."""
    return {
        claim.removeprefix("setting ")
        for clause in policies.judged()
        for verdict in clause.verdicts
        for claim in verdict.claims
        if claim.startswith("setting ")
    }


def _settable(policies: Policies, function: Function, runners: list[int], settings: set[str]) -> Iterator[Finding]:
    if not runners:
        return
    body = _plain(function.body)
    for setting in sorted(settings):
        if re.search(rf"set_config\s*\(\s*'{re.escape(setting)}'", body, re.IGNORECASE) and not _IDENTITY.search(body):
            yield Finding(
                "error" if policies.profile.web else "warning",
                "identity_settable",
                f"function {function.signature}",
                f"lets a service say who it is: it sets {setting}",
                f"{names(policies, runners)} may execute it, and policies believe the setting.",
                f"revoke execute on function {function.signature} from …, or ask in it who calls",
            )


def _signup(function: Function) -> Iterator[Finding]:
    """Triggers that copy what the client sent at sign-up into what decides."""
    if not function.triggers:
        return
    for name in re.findall(r"raw_user_meta_data\s*->>?\s*'(\w+)'", function.body):
        if POWERS.search(name):
            yield Finding(
                "error",
                "signup_metadata",
                f"function {function.signature}",
                f"believes the {name} that a client sends at sign-up",
                "raw_user_meta_data is whatever auth.signUp() was called with.",
                f"leave {name} to its default, and let somebody who may set it",
            )


def _kinds(policies: Policies, function: Function, runners: list[int]) -> Iterator[Finding]:
    if function.volatility == "i" and _asks(policies, function, _plain(function.body)) and function.arguments == 0:
        yield Finding(
            "error",
            "identity_immutable",
            f"function {function.signature}",
            "says who acts, and is IMMUTABLE",
            "A plan that is kept answers the next user with this one's identity.",
            f"alter function {function.signature} stable",
        )
    if function.leakproof and function.language in ("sql", "plpgsql") and runners:
        yield Finding(
            "error",
            "function_leakproof",
            f"function {function.signature}",
            "is LEAKPROOF, and so is asked before policies are",
            "A condition that calls it is tried on every row, hidden ones too.",
            f"alter function {function.signature} not leakproof",
        )
