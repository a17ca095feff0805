"""What the live database allows: the questions of ``policies/audit/``, and the drift from its migrations."""

from userscope.audit.model import Access, Finding, Report
from userscope.audit.run import audit

__all__ = ["Access", "Finding", "Report", "audit"]
