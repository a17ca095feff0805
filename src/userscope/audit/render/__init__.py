"""How a report reads, by the name of its format."""

from collections.abc import Callable, Mapping

from userscope.audit.model import Report
from userscope.audit.render.json import as_json
from userscope.audit.render.markdown import as_markdown
from userscope.audit.render.text import as_text

RENDERERS: Mapping[str, Callable[[Report], str]] = {"text": as_text, "json": as_json, "markdown": as_markdown}
