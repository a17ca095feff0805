"""The rules of the judging audit, by concern; each yields findings."""

from userscope.audit.judge.policies import Policies
from userscope.audit.judge.rules import access, functions, policy, promotions, recursion, rewrites, views, writes
from userscope.audit.model import Finding

CONCERNS = (policy, recursion, promotions, writes, access, functions, rewrites, views)
RULES = tuple(sorted({rule for concern in CONCERNS for rule in concern.RULES}))
"""Every rule's name; each has its section in docs/audit.md."""


def findings(policies: Policies) -> list[Finding]:
    """Ask every rule."""
    return list(dict.fromkeys(found for concern in CONCERNS for found in concern.findings(policies)))
