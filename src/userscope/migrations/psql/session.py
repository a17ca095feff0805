"""What a script's variables are, and what it may do: as psql would be called by Sqitch, on this connection."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from userscope.errors import ConfigurationError, ScriptError
from userscope.migrations.psql import lexer


@dataclass(frozen=True)
class Brought:
    """What scripts are read with: the project's folder, psql variables, and whether backticks run commands."""

    folder: Path = field(default_factory=Path)
    variables: Mapping[str, str] = field(default_factory=dict)
    backticks: bool = False


# What psql does differently by these, a run of migrations cannot.
_FIXED = {"AUTOCOMMIT": True, "ON_ERROR_STOP": True, "SINGLELINE": False, "SINGLESTEP": False}
_DEFAULTS = {
    "AUTOCOMMIT": "on",
    "ON_ERROR_STOP": "1",
    "ON_ERROR_ROLLBACK": "off",
    "QUIET": "on",
    "ECHO": "none",
    "ECHO_HIDDEN": "off",
    "ENCODING": "UTF8",
    "VERBOSITY": "default",
    "SHOW_CONTEXT": "errors",
}


class Session:
    """The variables as they stand while a script is read."""

    def __init__(self, brought: Brought, script: Path) -> None:
        self.folder, self._shell, self._script = brought.folder, brought.backticks, script
        self.variables = dict(_DEFAULTS)
        self.key: str | None = None  # of a \restrict, as around what pg_dump writes
        for name, value in brought.variables.items():
            if problem := self.set(name, value):
                raise ConfigurationError(f'the variable "{name}" {problem}')

    def set(self, name: str, value: str) -> str | None:
        """Set a variable; return what is wrong with it, if anything is."""
        if not lexer.NAME.fullmatch(name):
            return "is no name that psql takes: letters, digits and _ are"
        if name in _FIXED and value and lexer.truth(value) is not _FIXED[name]:
            return f"cannot be changed here: a run of migrations has it {'on' if _FIXED[name] else 'off'}"
        self.variables[name] = value
        return None

    def unset(self, name: str) -> str | None:
        """Unset a variable; return what is wrong with that, if anything is."""
        if name in _FIXED:
            return self.set(name, "off")
        self.variables.pop(name, None)
        return None

    def shell(self, command: str) -> str:
        """Return what a command in backticks prints, if it may run. Raises ScriptError."""
        if not self._shell:
            raise ScriptError(
                f'script "{self._script}" runs a command in backticks',
                detail="Nothing was run.",
                hint="Allow it by --allow-shell, or bring the value by --set NAME=VALUE.",
            )
        done = subprocess.run(command, shell=True, cwd=self.folder, stdout=subprocess.PIPE, check=False)  # noqa: S602 - it was allowed
        if done.returncode:
            raise ScriptError(
                f'a command in backticks of script "{self._script}" failed',
                detail=f"It ended with exit code {done.returncode}. Nothing was run.",
                hint="Correct the command.",
            )
        return done.stdout.decode(errors="replace").removesuffix("\n")
