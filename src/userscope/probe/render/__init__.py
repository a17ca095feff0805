"""How a run is told: one module a format."""

from collections.abc import Callable

from userscope.probe.render.html import as_html
from userscope.probe.render.json import as_json
from userscope.probe.render.pgtap import as_pgtap
from userscope.probe.render.report import Report
from userscope.probe.render.sarif import as_sarif
from userscope.probe.render.sql import as_sql
from userscope.probe.render.text import as_text

RENDERERS: dict[str, Callable[[Report], str]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "sql": as_sql,
    "pgtap": as_pgtap,
    "html": as_html,
}
