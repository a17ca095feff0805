"""PostgreSQL's own parser. It is loaded untyped: a checker that followed its stubs, which are no Python, would stop."""

from importlib import import_module
from typing import Any

from userscope.errors import MissingExtra

try:
    postgast: Any = import_module("postgast")
except ModuleNotFoundError:
    raise MissingExtra("postgast", "cli") from None
