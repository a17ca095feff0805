"""Functions: what a service may run with its owner's rights, who may say who acts, helpers that plans keep."""

import re
from collections.abc import Iterator

from userscope.audit.judge.catalog import Function, Relation
from userscope.audit.judge.policies import Policies
from userscope.audit.judge.reading import Reader
from userscope.audit.judge.rules.access import names
from userscope.audit.judge.rules.texts import IDENTITY, asks_who, plain, runs, touched
from userscope.audit.judge.rules.words import POWERS
from userscope.audit.judge.terms import Scope, Source, Value, Values, atom_sources
from userscope.audit.model import Finding
from userscope.postgres.sql import ident

RULES = (
    "function_definer",
    "function_leakproof",
    "function_search_path",
    "identity_immutable",
    "identity_settable",
    "signup_metadata",
)
_UID = r"auth\.(?:uid|user_id)\(\)\s*(?:\)\s*)?"
_NOBODY = re.compile(rf"{_UID}is\s+not\s+null\s+and\b", re.IGNORECASE)
_UNEQUAL = re.compile(
    rf"\bif\s+(?:\w+\s*(?:<>|!=)\s*{_UID}|{_UID}(?:<>|!=)\s*\w+|not\s*\(\s*(?:\w+\s*=\s*{_UID}|{_UID}=\s*\w+)\s*\)?)\s*then\b",
    re.IGNORECASE,
)
"""A guard that is null, and so stops nobody, where there is no identity."""
_CONFIG = re.compile(r"set_config\s*\(\s*(?:'([^']*)'|(\w+))\s*,", re.IGNORECASE)
_SET = re.compile(r"\bset\s+(?:local\s+|session\s+)?\"?([\w.]+)\"?\s*(?:=|\bto\b)", re.IGNORECASE)
_CLAIMS = re.compile(r"any setting$|(request\.)?jwt\.claim")
_PATH = re.compile(r"raw_user_meta_data\s*(?:->>?|#>>?|\[|,)\s*'\{?(\w+)", re.IGNORECASE)
_COUNTER = re.compile(r"set\s+(\w+)\s*=\s*(?:coalesce\()?\s*\w*\.?\1\b[^;]*?[+-]", re.IGNORECASE)
_TOKEN = re.compile(r"token|code|secret|hash|slug", re.IGNORECASE)
_HINTS = ("app.shard_key(text)", "app_private.policy_on_shards(text,text,text)")
"""Ours, on Citus: where rows lie, joined by "and" with what decides; whoever says who acts discards plans there."""


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
    yield from _planted(policies, function, runners)
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
    body = plain(function.body)
    written, read = touched(policies, function, function.owner)
    asks = asks_who(policies, body, function.oid)
    asked = "asks only whether there is somebody" if IDENTITY.search(body) else "asks nobody who they are"
    if asks and not written and _tells(policies, function):
        asks, asked = False, "says who asks, and keeps nothing back"
    anonymous = [s for s in runners if policies.catalog.roles[s].name in ("anon", "anonymous", "web_anon")]
    why = ""
    level = "error"
    unequal = _UNEQUAL.search(body) and not re.search(rf"{_UID}is\s+null", body, re.IGNORECASE)
    if (written or read) and asks and anonymous and (_NOBODY.search(body) or unequal):
        why = "its guard lets whoever has no identity pass"
    elif function.entry in policies.profile.accepted:
        return
    elif written and not asks:
        why = f"it writes to {', '.join(sorted({one.full for one in written}))}, and {asked}"
        harmless = (not function.arguments and "truncate" not in body.lower()) or _COUNTER.search(body)
        level = "warning" if harmless or any(_TOKEN.search(name) for name in function.inputs) else "error"
    elif (
        read and not asks and function.returns not in ("boolean", "void") and any(hidden(policies, one) for one in read)
    ):
        kept = sorted({one.full for one in read if hidden(policies, one)})
        why = f"it shows {', '.join(kept)}, and {asked}"
        level = "warning" if any(_TOKEN.search(name) for name in function.inputs) or _lookup(function) else "error"
    elif (
        "execute" in body.lower()
        and function.language == "plpgsql"
        and re.search(r"\bexecute\b(?!\s+(function|procedure|on))", body, re.IGNORECASE)
        and any(kind == "text" for kind in function.types)
    ):
        why, level = "it runs a text that may be what it is given", "error" if runs(function, body) else "warning"
    if why:
        yield Finding(
            level,
            "function_definer",
            f"function {function.signature}",
            "a service can run a function with its owner's rights",
            f"{names(policies, runners)} may execute it, and {why}.",
            f"ask for the identity in it, or revoke execute on function {function.signature} from …",
        )


def _tells(policies: Policies, function: Function) -> bool:
    """Whether a query has the identity among what it shows, and no condition on it."""
    if function.language != "sql":
        return False
    given: dict[str, Values] = {
        name: [(Value(frozenset({Source("unknown", name)})), ())] for name in function.inputs if name
    }
    rows = Reader(policies.catalog, policies.profile).body_rows(function, given, Scope())
    return bool(rows) and not any(
        source.kind in ("me", "call") for _, branch in rows for atom in branch for source in atom_sources(atom)
    )


def _planted(policies: Policies, function: Function, runners: list[int]) -> Iterator[Finding]:
    """Names that a service can make mean something else, by what it makes in a schema of the search_path."""
    path = next((one for one in function.settings if one.startswith("search_path=")), "")
    for name in re.findall(r"[\w$]+", path.removeprefix("search_path=")) if runners or function.triggers else []:
        schema = policies.catalog.schemas.get(name)
        planting = [one for one in policies.services if schema and one in schema.planted]
        if planting:
            yield Finding(
                "error",
                "function_search_path",
                f"function {function.signature}",
                f"looks up names in {ident(name)}, where a service makes things",
                f"{names(policies, planting)} may create there what it then takes for its own.",
                f"revoke create on schema {ident(name)} from {names(policies, planting)}",
            )


def hidden(policies: Policies, relation: Relation) -> bool:
    """Whether a table's rows are not everybody's anyway."""
    if not relation.secured:
        return relation.schema in policies.profile.own
    return all(c.worst.kind in ("tied", "role", "function", "dead") for c in policies.reads(relation))


def _lookup(function: Function) -> bool:
    """Whether it answers with one value of one row that its caller names: a helper of policies, mostly."""
    return not function.many and function.arguments > 0 and function.returns not in ("record", "json", "jsonb")


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
    body = plain(function.body)
    named = [text or "any setting" for text, given in _CONFIG.findall(body) if text or given in function.inputs]
    named += _SET.findall(body)
    believed = sorted({name for name in named if name in settings or _CLAIMS.match(name)})
    rest = re.sub(r"'[^']*'", " ", body)
    for setting in believed if runners and not IDENTITY.search(rest) else []:
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
    kept = re.findall(r"(\w+)\s+(?:jsonb?\s*)?:?=\s*new\.raw_user_meta_data\s*;", function.body, re.IGNORECASE)
    body = re.sub(rf"\b({'|'.join(kept)})\b", "raw_user_meta_data", function.body) if kept else function.body
    for name in _PATH.findall(body):
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
    if (
        function.volatility == "i"
        and function.signature not in _HINTS
        and asks_who(policies, plain(function.body), function.oid)
    ):
        constant = re.compile(rf"\b{function.name}\((?:'[^']*'::[\w ]+(?:, )?)*\)")  # is asked once for all rows
        once = not function.arguments or any(constant.search(clause.text) for clause in policies.judged())
        yield Finding(
            "error" if once else "warning",
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
