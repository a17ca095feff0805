"""An empty folder becomes a project: a pair of one's own, what says so, and where its tests begin."""

import re
import tomllib
from pathlib import Path

from userscope.errors import ConfigurationError, UserscopeError
from userscope.generate import files
from userscope.generate.table import Table
from userscope.migrations import projects
from userscope.migrations.files import save

_CONF = "[core]\n\tengine = pg\n\ttop_dir = .\n\tplan_file = sqitch.plan\n[deploy]\n\tverify = true\n"
_SECTION = '[tool.userscope]\nours = "{ours}"\nprojects = ["db"]\n'


def start(folder: Path, *, ours: str, table: Table | None = None) -> list[Path]:
    """Write a project into ``folder``, with a first table, its class and its test; return what was written or changed.

    ``ours`` is "all" or "core". Raises ConfigurationError where something of it is there already; then everything is as
    it was.
    """
    name = re.sub("[^a-z0-9]+", "_", folder.resolve().name.lower()).strip("_") or "own"
    base = folder / "db"
    texts = {base / part / "sqitch.conf": _CONF for part in ("schema", "policies")}
    for part in ("schema", "policies"):
        texts[base / part / "sqitch.plan"] = f"%syntax-version=1.0.0\n%project={name}_{part}\n\n"
    texts[folder / "conftest.py"] = files.PLUGIN
    settings = folder / "pyproject.toml"
    section = _SECTION.format(ours=ours)
    changed: dict[Path, bytes] = {}
    if settings.exists():
        changed[settings] = _with(settings, section)
    else:
        texts[settings] = section
    before = {path: path.read_bytes() for path in changed}
    written = save(texts, changed)
    if not table:
        return written
    try:
        mapping, test = folder / f"{table.name}.py", folder / "tests" / f"test_{table.name}.py"
        more = files.write(table, projects.find([base]), mapping, test)
    except UserscopeError:
        for path in texts:
            path.unlink()
        for path, data in before.items():
            path.write_bytes(data)
        raise
    return [*written, *(path for path in more if path not in written)]


def _with(file: Path, section: str) -> bytes:
    """Return a pyproject.toml with the section at its end. Raises ConfigurationError where there is one already."""
    data = file.read_bytes()
    end = b"" if not data or data.endswith(b"\n") else b"\n"
    try:
        if "userscope" in tomllib.loads(data.decode()).get("tool", {}):
            raise ConfigurationError(
                f'"{file}" has a section [tool.userscope] already', hint='Here "userscope new-table" adds tables.'
            )
        data += end + b"\n" * bool(data) + section.encode()
        tomllib.loads(data.decode())
    except ValueError as error:
        raise ConfigurationError(f'"{file}" is not valid', detail=f"{error}.") from None
    return data
