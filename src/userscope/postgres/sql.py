"""The SQL that the package brings, each text in a file of its own beside the module that sends it."""

from importlib.resources import files


def named(package: str, name: str) -> str:
    """Read the file ``name`` of ``package``: ``named(__package__, "health.sql")``."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def with_above(text: str) -> str:
    """Put in, where it is called for, what lifts a login above row-level security: the check and the audit share it."""
    return text.replace("/* above.sql */", named(__package__, "above.sql").strip())
