"""How a run is told: one module a format."""

from collections.abc import Callable

from userscope.probe.render.json import as_json
from userscope.probe.render.report import Report
from userscope.probe.render.text import as_text

RENDERERS: dict[str, Callable[[Report], str]] = {"text": as_text, "json": as_json}
