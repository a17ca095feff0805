"""Trying beside reading: what an audit says, with the proof where there is one, and as a doubt where there could be."""

import re
from collections.abc import Iterable
from dataclasses import replace

from userscope.audit.model import Finding as Read
from userscope.audit.model import Report
from userscope.probe.findings import Finding as Tried

RULE = "probe"
"""The rule of what only trying found."""
TRIABLE = {
    *("function_definer", "identity_settable", "mutable_claim", "parent_unchecked", "policy_open", "policy_recursion"),
    *("policy_write_wider", "relation_kind", "rls_disabled", "self_promotion", "signup_metadata", "view_definer"),
}
"""What trying shows, where it is so; what is left only reading can see."""
_LEVELS = {"error": "error", "question": "warning", "warning": "warning"}
_OBJECT = re.compile(r"^(?:policy .+ on |function )(.+?)(?: as of \w+)?$")


def with_proofs(report: Report, tried: Iterable[Tried]) -> Report:
    """Return an audit's report as trying leaves it.

    A finding that was shown has the statements in its detail. An error that could have been shown and was not becomes
    a warning that says so. What reading had not seen comes along, by the rule "probe".
    """
    shown = [each for each in tried if each.level in _LEVELS and each.shown_again]
    found = [_beside(each, [one for one in shown if _same(each, one)]) for each in report.findings]
    new = [_told(one) for one in shown if not any(_same(each, one) for each in report.findings)]
    return replace(report, findings=[]).with_findings([*found, *new])


def _same(read: Read, tried: Tried) -> bool:
    """Whether both are about one thing: a policy's table, a function, a view."""
    named = _OBJECT.match(read.object)
    thing = named[1] if named else read.object
    return tried.object == thing or tried.object.startswith(f"{thing}/")


def _beside(read: Read, shown: list[Tried]) -> Read:
    worst = [one for one in shown if one.level in ("error", "question")]
    if worst:
        return replace(read, detail=f"{read.detail} {_proof(worst[0])}")
    if read.level == "error" and read.rule in TRIABLE and not shown:
        return replace(read, level="warning", detail=f"{read.detail} Not shown by trying.")
    return read


def _proof(tried: Tried) -> str:
    return f"Shown by trying: {tried.sentence}: {'; '.join(tried.proof)}"


def _told(tried: Tried) -> Read:
    said = tried.sentence.removesuffix(": meant?")
    cure = "accept it with the reason, if it is meant so" if tried.level == "question" else "close it, and try again"
    return Read(_LEVELS[tried.level], RULE, tried.object, said, f"Shown by trying: {'; '.join(tried.proof)}", cure)
