"""A run as JSON."""

import json

from userscope.probe.findings import Finding
from userscope.probe.render.report import Report


def as_json(report: Report) -> str:
    """Return one document, the same in every run."""
    coverage = report.coverage
    document = {
        "findings": [_told(found) for found in report.findings],
        "accepted": [
            {**_told(found), "reason": entry.reason, "by": entry.by} for found, entry in report.sorted.accepted
        ],
        "notes": [note.finding for note in report.sorted.notes],
        "coverage": {
            "roles": coverage.roles,
            "tables": coverage.tables,
            "filled": coverage.filled,
            "policies": coverage.policies,
            "met": coverage.met,
            "not_tried": coverage.not_tried,
            "too_little": coverage.too_little,
        },
        "matrix": [{"who": who, "object": thing, "sees": sees} for who, thing, sees in report.matrix],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def _told(found: Finding) -> dict[str, object]:
    return {
        "id": found.id, "rule": found.rule, "level": found.level, "object": found.object, "finding": found.sentence,
        "proof": found.proof, "basis": found.basis,
    }  # fmt: skip
