"""A report as JSON, for programs."""

import json
from dataclasses import asdict

from userscope.audit.model import Report


def as_json(report: Report) -> str:
    """Write ``{"matrix": [...], "findings": [...]}``."""
    told = {
        "matrix": [asdict(access) for access in report.matrix],
        "findings": [asdict(found) for found in report.findings],
    }
    return json.dumps(told, ensure_ascii=False, indent=2)
