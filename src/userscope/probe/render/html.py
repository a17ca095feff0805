"""A run as one page that needs nothing else."""

from collections.abc import Iterator
from html import escape

from userscope.probe.render.report import Report

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
pre { background: #f4f4f4; padding: .75rem; white-space: pre-wrap; overflow-wrap: anywhere }
h2 small { font-weight: normal } table { border-collapse: collapse } td, th { padding: .2rem .8rem; text-align: left }
.error { color: #a00 } .question { color: #850 } .warning { color: #640 } .note { color: #555 }
"""


def as_html(report: Report) -> str:
    """Return the page: findings with their proofs, who sees whose rows, and what was not shown."""
    title = "<title>userscope probe</title>"
    head = f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n{title}\n<style>{_STYLE}</style>'
    return "\n".join([head, *_body(report), "</html>"])


def _body(report: Report) -> Iterator[str]:
    coverage = report.coverage
    yield "<h1>Proof by trying</h1>"
    yield f"<p>{escape(report.counted())}: tried as {escape(', '.join(coverage.roles) or 'nobody')}; "
    yield f"{coverage.filled} of {coverage.tables} tables filled, "
    yield f"{coverage.met} of {coverage.policies} policies met.</p>"
    for found in report.findings:
        yield f'<h2 class="{found.level}">{found.level}: {escape(found.object)}</h2>'
        yield f"<p>{escape(found.sentence)}</p>"
        yield f"<pre>{escape(chr(10).join(found.proof))}</pre>"
    if report.sorted.accepted:
        yield "<h2>Accepted</h2><ul>"
        for found, entry in report.sorted.accepted:
            said = f"{found.object}: {found.sentence} ({entry.reason}: {entry.by})"
            yield f"<li>{escape(said)}</li>"
        yield "</ul>"
    yield "<h2>Who sees whose rows</h2><table><tr><th>what</th><th>who</th><th>sees</th></tr>"
    for who, thing, sees in report.matrix:
        yield f"<tr><td>{escape(thing)}</td><td>{escape(who)}</td><td>{escape(sees)}</td></tr>"
    yield "</table>"
    if lacking := [*coverage.too_little, *coverage.not_tried]:
        yield "<h2>Not shown by this run</h2><ul>"
        yield from (f"<li>{escape(line)}</li>" for line in lacking)
        yield "</ul>"
