"""How a report reads, by the name of its format."""

from collections.abc import Callable, Mapping

from userscope.audit.model import Report
from userscope.audit.render.github import as_github
from userscope.audit.render.html import as_html
from userscope.audit.render.json import as_json
from userscope.audit.render.junit import as_junit
from userscope.audit.render.markdown import as_markdown
from userscope.audit.render.occasion import Occasion
from userscope.audit.render.sarif import as_sarif
from userscope.audit.render.text import as_text

RENDERERS: Mapping[str, Callable[[Report, Occasion], str]] = {
    "text": as_text,
    "json": lambda report, _: as_json(report),
    "markdown": lambda report, _: as_markdown(report),
    "sarif": as_sarif,
    "github": as_github,
    "junit": as_junit,
    "html": as_html,
}

__all__ = ["RENDERERS", "Occasion"]
