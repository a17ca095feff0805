"""A report as JSON, for programs."""

import json
from dataclasses import asdict

from userscope.audit.model import Report


def as_json(report: Report) -> str:
    """Write ``{"matrix": [...], "findings": [...]}``, and what a baseline accepts as ``"accepted"``."""
    told = {
        "matrix": [asdict(access) for access in report.matrix],
        "findings": [asdict(found) for found in report.findings],
    }
    if report.accepted is not None:
        told["accepted"] = [
            asdict(found)
            | {"reason": entry.reason, "by": entry.by, "until": entry.until.isoformat() if entry.until else None}
            for found, entry in report.accepted
        ]
    return json.dumps(told, ensure_ascii=False, indent=2)
