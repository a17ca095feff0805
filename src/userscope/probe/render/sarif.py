"""A run as SARIF 2.1.0, for code scanning: written as the audit's findings are."""

from typing import TYPE_CHECKING

from userscope.audit import model
from userscope.audit.render.occasion import Occasion
from userscope.audit.render.sarif import as_sarif as audit_sarif
from userscope.probe.answers import RULES
from userscope.probe.render.report import Report

if TYPE_CHECKING:
    from userscope.probe.findings import Finding

_LEVELS = {"error": "error", "question": "warning", "warning": "warning", "note": "info"}


def as_sarif(report: Report) -> str:
    """Return one run: a result for each finding, with its proof; what was answered is suppressed, with the reason."""
    found = [_as_audits(each) for each in report.findings]
    accepted = [(_as_audits(each), entry) for each, entry in report.sorted.accepted]
    return audit_sarif(model.Report([], found, {}, accepted=accepted), Occasion(rules=RULES))


def _as_audits(found: "Finding") -> model.Finding:
    proof = "; ".join(found.proof)
    cure = "write the policy, grant or function so that this proof fails"
    return model.Finding(_LEVELS[found.level], found.rule, found.object, found.sentence, f"Proof: {proof}.", cure)
