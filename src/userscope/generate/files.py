"""Writing a new table into a pair of projects: everything, or nothing."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from userscope.errors import ConfigurationError
from userscope.generate.table import Table
from userscope.migrations.config import committer
from userscope.migrations.plan import grammar
from userscope.migrations.projects import Project


def write(table: Table, projects: Sequence[Project], mapping: Path, test: Path | None = None) -> list[Path]:
    """Write the scripts, the lines of both plans, the mapping and the test; return what was written or changed.

    ``projects`` are two: what exists, and who may do what. Raises ConfigurationError or PlanError; everything is as it
    was then.
    """
    if len(projects) != 2:
        names = ", ".join(project.name for project in projects)
        raise ConfigurationError(
            f"a table needs two projects, and here are {len(projects)}: {names}",
            hint="Name both, what exists first: --project schema --project policies.",
        )
    if mapping.stem in sys.stdlib_module_names:
        raise ConfigurationError(
            f'a file "{mapping.name}" would be imported in the place of Python\'s own "{mapping.stem}"',
            hint=f"Put the class elsewhere: --mapping {table.name}_table.py.",
        )
    schema, policies = projects
    texts = _scripts(table, schema, policies)
    texts[mapping] = table.mapping()
    if test:
        texts[test] = table.test()
    for path in texts:
        if path.exists():
            raise ConfigurationError(f'"{path}" is there already', hint="Nothing was written. Choose another name.")
    owned = f"{table.many.capitalize()}, each owned by one user"
    owned += ", behind a fence" if table.fenced else ""
    reached = f"A user reaches their own {table.many}"
    needs = f"{_needs(policies, 'policies', 'access')} {schema.name}:{table.name}"
    plans = {
        schema.plan.path: _planned(schema, table, _needs(schema, "schema", "identity", "users"), owned),
        policies.plan.path: _planned(policies, table, needs, reached),
    }
    before = {path: path.read_bytes() for path in plans}
    written: list[Path] = []
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                written.append(path)
                file.write(text)
        for path, data in plans.items():
            path.write_bytes(data)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        for path, data in before.items():
            if path.read_bytes() != data:
                path.write_bytes(data)
        raise ConfigurationError(
            f'cannot write "{error.filename}"', detail=f"{error.strerror}. Nothing was written."
        ) from None
    return [*before, *texts]


def _scripts(table: Table, schema: Project, policies: Project) -> dict[Path, str]:
    by_name = {project.name: project for project in (schema, policies)}
    texts = table.scripts(schema.name, policies.name)
    return {by_name[name].script(kind, table.name): text for (name, kind), text in texts.items()}


def _needs(project: Project, ours: str, *changes: str) -> str:
    """Changes of our own project as this one's plan names them."""
    return " ".join(change if project.name == ours else f"{ours}:{change}" for change in changes)


def _planned(project: Project, table: Table, needs: str, note: str) -> bytes:
    """Return the plan with one line more. Raises PlanError where it would not be one."""
    if table.name in project.plan.lookup:
        raise ConfigurationError(
            f'the plan of "{project.name}" has a change "{table.name}" already', hint="Choose another name."
        )
    name, email = committer(project.config)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    data = project.plan.path.read_bytes()
    end = b"" if data.endswith(b"\n") else b"\n"
    data += end + f"{table.name} [{needs}] {now} {name} <{email}> # {note}\n".encode()
    grammar.parse(data, project.plan.path)
    return data
