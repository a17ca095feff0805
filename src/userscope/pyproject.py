"""``[tool.userscope]`` of pyproject.toml: how much of ours a project wants, and its own migrations beside it."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from userscope.errors import ConfigurationError

Ours = Literal["core", "all"]
"""Of our migrations: roles and identities alone, or the reference application (users, todos, Better Auth) as well."""

_KEYS = ("ours", "projects", "distributed")
_EXAMPLE = 'Write for example: [tool.userscope] ours = "core" and projects = ["db"].'


@dataclass(frozen=True)
class Section:
    """What it says; ``projects`` are folders of Sqitch projects, deployed after ours."""

    ours: Ours = "all"
    projects: tuple[Path, ...] = ()
    file: Path | None = None
    """Where it was read; None where there is no such section."""
    distributed: bool = False
    """Whether the database is spread over the nodes of a Citus cluster."""


def read() -> Section:
    """Read the nearest pyproject.toml with the section, from the working directory upwards.

    USERSCOPE_OURS says how much of ours is wanted in its stead: a service may run without the file. Raises
    ConfigurationError for a file that cannot be read, an unknown key and a value that means nothing.
    """
    section = _nearest()
    ours: Any = os.environ.get("USERSCOPE_OURS") or section.ours
    if ours not in get_args(Ours):
        raise ConfigurationError("USERSCOPE_OURS means nothing", detail='It is "core" or "all".')
    return replace(section, ours=ours)


def _nearest() -> Section:
    here = Path.cwd()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        try:
            tool = tomllib.loads(file.read_text(encoding="utf-8")).get("tool")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise ConfigurationError(f'cannot read "{file}"', detail=f"{error.strerror}.") from None
        except ValueError as error:  # not UTF-8, or no TOML
            raise ConfigurationError(f'"{file}" is not valid', detail=f"{error}.") from None
        if isinstance(tool, dict) and "userscope" in tool:
            return _checked(tool["userscope"], file)
    return Section()


def _checked(section: Any, file: Path) -> Section:
    if not isinstance(section, Mapping):
        raise _refused(file, "[tool.userscope] is no table")
    unknown = sorted(section.keys() - set(_KEYS))
    if unknown:
        raise _refused(
            file, f'[tool.userscope] has no key "{unknown[0]}"', f"It takes {', '.join(_KEYS[:-1])} and {_KEYS[-1]}."
        )
    ours, projects = section.get("ours", "all"), section.get("projects", [])
    if ours not in get_args(Ours):
        raise _refused(file, "ours in [tool.userscope] means nothing", 'It is "core" or "all".')
    if not isinstance(projects, list) or not all(isinstance(name, str) and name for name in projects):
        raise _refused(file, "projects in [tool.userscope] is no list of folders")
    if not isinstance(distributed := section.get("distributed", False), bool):
        raise _refused(file, "distributed in [tool.userscope] means nothing", "It is true or false.")
    return Section(ours, tuple(file.parent / name for name in projects), file, distributed)


def _refused(file: Path, what: str, more: str = "") -> ConfigurationError:
    return ConfigurationError(what, detail=f'It stands in "{file}".{" " if more else ""}{more}', hint=_EXAMPLE)
