"""A report as SARIF 2.1.0, for code scanning."""

import json
from collections import Counter
from hashlib import sha256
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from userscope.audit.model import Entry, Finding, Report
from userscope.audit.render.occasion import Occasion
from userscope.audit.rules import described, plain

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def as_sarif(report: Report, occasion: Occasion) -> str:
    """Write one run: every rule that was asked with what it looks for, and a result for each finding.

    A result has a fingerprint of its rule, object and finding, so it is the same in the next run, whatever else was
    found. What a baseline accepts is suppressed, with the reason.
    """
    accepted = report.accepted or []
    told = {found.rule for found in report.findings} | {found.rule for found, _ in accepted}
    rules = sorted({*occasion.rules, *told})
    seen: Counter[str] = Counter()
    every: list[tuple[Finding, Entry | None]] = [*((found, None) for found in report.findings), *accepted]
    results = [_result(found, entry, rules, occasion, seen) for found, entry in every]
    driver = {"name": "userscope", "version": version("userscope"), "rules": _rules(rules)}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


def _rules(names: list[str]) -> list[dict[str, Any]]:
    told = described()
    rules: list[dict[str, Any]] = []
    for name in names:
        rule: dict[str, Any] = {"id": name, "name": "".join(word.capitalize() for word in name.split("_"))}
        if text := told.get(name):
            sentence = f"Found when {text}."
            rule["shortDescription"] = {"text": name.replace("_", " ")}
            rule["fullDescription"] = {"text": plain(sentence)}
            rule["help"] = {"text": plain(sentence), "markdown": sentence}
        rules.append(rule)
    return rules


def _result(
    found: Finding, entry: Entry | None, rules: list[str], occasion: Occasion, seen: Counter[str]
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": found.rule,
        "ruleIndex": rules.index(found.rule),
        "level": _LEVELS[found.level],
        "message": {"text": f"{found.object}: {found.finding}. {found.detail} Cure: {found.cure}"},
        "locations": [_location(found, occasion)],
        "partialFingerprints": {"userscope/v1": _fingerprint(found, seen)},
    }
    if entry:
        by = f"{entry.reason} (accepted by {entry.by}{f' until {entry.until}' if entry.until else ''})"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": by}]
    return result


def _location(found: Finding, occasion: Occasion) -> dict[str, Any]:
    """Tell where it was made, or else of a file that only means the object: code scanning wants one."""
    place = occasion.place(found.object)
    artifact = {"uri": quote(place.file if place else f"database/{found.object}")}
    physical = {"artifactLocation": artifact, "region": {"startLine": place.line if place else 1}}
    return {"physicalLocation": physical, "logicalLocations": [{"fullyQualifiedName": found.object}]}


def _fingerprint(found: Finding, seen: Counter[str]) -> str:
    digest = sha256("\0".join((found.rule, found.object, found.finding)).encode()).hexdigest()
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"
