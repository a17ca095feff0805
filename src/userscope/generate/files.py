"""Writing into a pair of projects: everything, or nothing."""

import keyword
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from userscope.errors import ConfigurationError
from userscope.generate.protection.scripts import Protection
from userscope.generate.table import Table
from userscope.migrations.config import committer
from userscope.migrations.files import refuse_existing, save
from userscope.migrations.plan import grammar
from userscope.migrations.projects import Project, shipped

PLUGIN = 'pytest_plugins = ["userscope.testing"]\n'
"""What a conftest.py says, so that tests get a database each."""


def write(table: Table, projects: Sequence[Project], mapping: Path, test: Path | None = None) -> list[Path]:
    """Write the scripts, the lines of both plans, the mapping and the test; return what was written or changed.

    ``projects`` are two: what exists, and who may do what. Raises ConfigurationError or PlanError; everything is as it
    was then.
    """
    schema, policies = _pair(projects)
    elsewhere = f"Put the class elsewhere: --mapping {table.name}_table.py."
    if mapping.stem in sys.stdlib_module_names:
        raise ConfigurationError(
            f'a file "{mapping.name}" would be imported in the place of Python\'s own "{mapping.stem}"', hint=elsewhere
        )
    if keyword.iskeyword(mapping.stem):
        raise ConfigurationError(f'a file "{mapping.name}" cannot be imported', hint=elsewhere)
    texts = _scripts(table.scripts(schema.name, policies.name), table.name, schema, policies)
    texts[mapping] = table.mapping()
    if test:
        texts[test] = table.test()
        texts |= _conftest(test)
    refuse_existing(texts)
    if table.users:
        _refuse_ours(table.name)
    owned = f"{table.many.capitalize()}, {table.whose}"
    needs = f"{_needs(policies, 'policies', *table.needed_policies)} {schema.name}:{table.name}"
    parents = f" {table.parent.change}" if table.parent else ""
    plans = {
        schema.plan.path: _planned(schema, table.name, _needs(schema, "schema", *table.needed) + parents, owned),
        policies.plan.path: _planned(policies, table.name, needs, table.who),
    }
    return save(texts, plans)


def _refuse_ours(name: str) -> None:
    """Raise ConfigurationError where userscope's own projects make what a table is to be called."""
    for script in shipped().glob("*/deploy/*.sql"):
        if re.search(rf"^create (table|view) app\.{name}\b", script.read_text(encoding="utf-8"), re.MULTILINE):
            raise ConfigurationError(
                f"app.{name} is userscope's own", hint="Nothing was written. Choose another name for the table."
            )


def _conftest(test: Path) -> dict[Path, str]:
    """Return the conftest.py that a test needs beside it, unless there is one on the way from here to it."""
    here, folder = Path.cwd(), test.resolve().parent
    way = [folder, *(parent for parent in folder.parents if parent.is_relative_to(here))]
    return {} if any((at / "conftest.py").exists() for at in way) else {test.parent / "conftest.py": PLUGIN}


def protect(protection: Protection, projects: Sequence[Project]) -> list[Path]:
    """Write the scripts that protect a table, and the lines of both plans; return what was written or changed.

    Raises ConfigurationError or PlanError; everything is as it was then.
    """
    schema, policies = _pair(projects)
    name = protection.change
    stand = [parent for parent in protection.parents if parent in policies.plan.lookup]
    protection = replace(protection, requires=stand)
    texts = _scripts(protection.scripts(schema.name, policies.name), name, schema, policies)
    refuse_existing(texts)
    ours = _needs(policies, "policies", "access", *protection.needed())
    needs = " ".join([ours, f"{schema.name}:{name}", *stand])
    whose = protection.ownership.owner
    team = protection.ownership.organization
    who = "A member reaches their organization's rows" if team else "A user reaches their own rows"
    plans = {
        schema.plan.path: _planned(
            schema,
            name,
            _needs(schema, "schema", "identity"),
            f"{protection.table.name} is closed, also to its owner",
        ),
        policies.plan.path: _planned(policies, name, needs, f"{who} of it, by {whose}"),
    }
    return save(texts, plans)


def way_back(protection: Protection, projects: Sequence[Project]) -> list[Path]:
    """Return the scripts that take a protection back, in order. Raises ConfigurationError where none is planned."""
    schema, policies = _pair(projects)
    name = protection.change
    for project in (policies, schema):
        if name not in project.plan.lookup:
            raise ConfigurationError(
                f'the plan of "{project.name}" has no change "{name}"',
                hint="What another way protected is taken back in that way: --format alembic, or --format sql.",
            )
    return [project.script("revert", name) for project in (policies, schema)]


def _pair(projects: Sequence[Project]) -> tuple[Project, Project]:
    if len(projects) != 2:
        names = ", ".join(project.name for project in projects)
        raise ConfigurationError(
            f"a table needs two projects, and here are {len(projects)}: {names}",
            hint="Name both, what exists first: --project schema --project policies.",
        )
    schema, policies = projects
    return schema, policies


def _scripts(texts: Mapping[tuple[str, str], str], change: str, schema: Project, policies: Project) -> dict[Path, str]:
    """Return the scripts of a change by their files."""
    by_name = {project.name: project for project in (schema, policies)}
    return {by_name[name].script(kind, change): text for (name, kind), text in texts.items()}


def _needs(project: Project, ours: str, *changes: str) -> str:
    """Changes of our own project as this one's plan names them."""
    return " ".join(change if project.name == ours else f"{ours}:{change}" for change in changes)


def _planned(project: Project, name: str, needs: str, note: str) -> bytes:
    """Return the plan with one line more. Raises PlanError where it would not be one."""
    if name in project.plan.lookup:
        raise ConfigurationError(
            f'the plan of "{project.name}" has a change "{name}" already', hint="Choose another name."
        )
    person, email = committer(project.config)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    data = project.plan.path.read_bytes()
    end = b"" if data.endswith(b"\n") else b"\n"
    data += end + f"{name} [{needs}] {now} {person} <{email}> # {note}\n".encode()
    grammar.parse(data, project.plan.path)
    return data
