"""What the live database allows: the questions of ``policies/audit/``, and the drift from its migrations."""

from userscope.audit.findings import Access, Finding
from userscope.audit.run import Report, audit

__all__ = ["Access", "Finding", "Report", "audit"]
