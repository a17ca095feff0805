"""What the live database allows: the questions of ``policies/audit/``, and the drift from its migrations."""

from userscope.audit.catalog import Report, audit
from userscope.audit.findings import Access, Finding

__all__ = ["Access", "Finding", "Report", "audit"]
