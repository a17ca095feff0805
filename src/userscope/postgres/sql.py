"""SQL as text: what the package brings, in files beside the modules that send it; how names and texts are written."""

import re
from importlib.resources import files


def named(package: str, name: str) -> str:
    """Read the file ``name`` of ``package``: ``named(__package__, "health.sql")``."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def with_shared(text: str) -> str:
    """Put in the files of this folder that ``text`` calls for, which several queries share: ``/* above.sql */``."""
    return re.sub(r"/\* (\w+\.sql) \*/", lambda called: named(__package__, called[1]).strip(), text)


def ident(name: str) -> str:
    """Write a name as SQL does: in quotes where letters, digits and _ alone do not do. Keywords are not looked for."""
    return name if re.fullmatch("[a-z_][a-z0-9_]*", name) else f'"{name.replace('"', '""')}"'


def literal(text: str) -> str:
    """Write a text as SQL does, backslashes as they are."""
    return f"'{text.replace("'", "''")}'"
