"""The same as one revision of Alembic, or as plain SQL: in one transaction each way."""

import re
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from textwrap import indent

from userscope.errors import ConfigurationError
from userscope.generate.protection.scripts import Protection


def both_ways(protection: Protection) -> tuple[list[str], list[str]]:
    """Return the statements that protect it, and those that take that back."""
    scripts = protection.scripts("schema", "policies")
    there = [*_statements(scripts["schema", "deploy"]), *_statements(scripts["policies", "deploy"])]
    back = [*_statements(scripts["policies", "revert"]), *_statements(scripts["schema", "revert"])]
    return there, back


def sql(protection: Protection, *, back: bool = False) -> str:
    """Return a script in one transaction."""
    statements = both_ways(protection)[back]
    return "\n\n".join(["begin;", *(f"{statement};" for statement in statements), "commit;"]) + "\n"


def write(protection: Protection, folder: Path, *, back: bool = False) -> Path:
    """Write a revision after the newest of the project whose alembic.ini is in ``folder``; return its path.

    Raises ConfigurationError where there is no such project, or nobody can say which revision is the newest.
    """
    try:
        from alembic.config import Config
        from alembic.script import ScriptDirectory
        from alembic.util import CommandError, rev_id
    except ModuleNotFoundError:
        raise ConfigurationError('the package "alembic" is not installed', hint="Run: pip install alembic") from None

    ini = folder / "alembic.ini"
    if not ini.is_file():
        raise ConfigurationError(
            f'"{folder}" holds no alembic.ini', hint="Say where Alembic is configured: --project DIR."
        )
    upgrade, downgrade = both_ways(protection)
    if back:
        upgrade, downgrade = downgrade, upgrade
    message = f"{'open' if back else 'protect'} {protection.table.name}"
    try:
        directory = ScriptDirectory.from_config(Config(str(ini)))
        told = {f"{verb} {protection.table.name}" for verb in ("open", "protect")}
        newest = next((one for one in directory.walk_revisions() if (one.doc or "").rstrip(".") in told), None)
        if newest and (newest.doc or "").rstrip(".") == message:
            raise ConfigurationError(
                f'a revision that does it is written already: "{newest.path}"',
                hint='Run "alembic upgrade head"; or delete it, to have it written anew.',
            )
        with redirect_stdout(StringIO()):  # it tells of its progress there
            revision = directory.generate_revision(
                rev_id(), message, head="head", upgrades=_code(upgrade), downgrades=_code(downgrade), imports=""
            )
    except CommandError as error:
        raise ConfigurationError(
            "Alembic cannot place a revision",
            detail=f"It said: {str(error).rstrip('.')}.",
            hint='Several heads are joined by "alembic merge heads".',
        ) from None
    if revision is None or revision.path is None:
        raise ConfigurationError("Alembic wrote no revision", hint=f'Look at script_location in "{ini}".')
    return Path(revision.path)


def _statements(text: str) -> list[str]:
    from userscope.migrations import script  # it loads PostgreSQL's parser, which takes a while

    return [
        statement.sql.strip().rstrip(";") for statement in script.split(text, Path("script")) if not statement.control
    ]


def _code(statements: Sequence[str]) -> str:
    """Return the lines of a function; the first is indented by the template."""
    calls = [f'op.execute(\n    """\n{indent(_quoted(text), "    ")}\n    """\n)' for text in statements]
    return indent("\n".join(calls), "    ").lstrip()


def _quoted(text: str) -> str:
    # SQLAlchemy takes a colon before a word for a parameter, unless another colon stands before it.
    parameters = re.sub(r"(?<![:\w\\]):(?=\w+)(?!\w+:)", r"\\:", text)
    return parameters.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
