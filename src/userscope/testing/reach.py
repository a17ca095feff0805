"""What a test asserts of the whole schema: who reaches whose rows, found out by trying."""

import pytest

from userscope.login import Login
from userscope.probe import run
from userscope.probe.answers import answered
from userscope.probe.render.report import Report
from userscope.probe.render.text import as_text
from userscope.probe.run import Options
from userscope.testing.sandbox import SandboxBase


def reach(sandbox: SandboxBase, options: Options | None = None) -> dict[str, dict[str, str]]:
    """Try everything in the sandbox, as "userscope probe" does, and return who sees whose rows of each object.

    The sandbox should hold no rows of its own yet; what is put in is taken out. The test fails, with the proof, where
    somebody reaches what is somebody else's.
    """
    result = run.probe(sandbox.settings.url(Login.ADMIN), options or Options())
    report = Report(answered(result.findings, None), result.coverage, run.matrix(result.scene))
    if report.failed("error") or result.coverage.too_little:
        pytest.fail(as_text(report), pytrace=False)
    found: dict[str, dict[str, str]] = {}
    for who, thing, sees in report.matrix:
        found.setdefault(thing, {})[who] = sees
    return found
