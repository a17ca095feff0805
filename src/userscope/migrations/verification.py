"""Verify scripts call functions of the database that they judge: whether these are still the ones that we ship."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from userscope.errors import MigrationError
from userscope.migrations.projects import shipped
from userscope.migrations.registry.write import Statement
from userscope.postgres.sql import named

_FOUND = named(__package__, "verification.sql")
# One shape for all of them, so that whatever else is written there makes a test fail.
_FUNCTION = re.compile(
    r"^create function app_private\.(verify\w*)\(([^)]*)\) returns void\n"
    r"    (language [^;$]*)\n    (set [^;$]*)\nas \$\$(.*?)\$\$;$",
    re.MULTILINE | re.DOTALL,
)


@cache
def functions() -> Mapping[str, tuple[str, str]]:
    """Return the functions of our scripts: arguments as PostgreSQL writes them → body and attributes."""
    return {
        f"{name}({arguments})": (body, f"{attributes} {setting.replace(' = ', '=')}")
        for script in sorted(_scripts().glob("*.sql"))
        for name, arguments, attributes, setting, body in _FUNCTION.findall(script.read_text(encoding="utf-8"))
    }


def _scripts() -> Path:
    return shipped() / "schema" / "deploy"


def question() -> Statement:
    """Return what asks for the functions of the database that verify scripts may call."""
    names = sorted({function.partition("(")[0] for function in functions()})
    return Statement(_FOUND, ("{" + ",".join(names) + "}",))


def refuse_changed_functions(found: Sequence[Mapping[str, str | None]]) -> None:
    """Raise MigrationError where a function that verify scripts share is not ours, by the answer to ``question``.

    None is there yet before the first change; a script that misses one fails by itself.
    """
    ours = functions()
    for row in found:
        function = row["function"] or ""
        if ours.get(function) != (row["body"], row["attributes"]):
            raise MigrationError(
                f"function app_private.{function} is not the one that userscope ships",
                detail="Verifications call it and would believe what it says, so none was run.",
                hint=f"Drop it, or bring it back as its script in {_scripts()} has it.",
            )
