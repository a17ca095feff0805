"""The table that a new one refers to: one whose rows have the same owners, found by the script that makes it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from userscope.errors import ConfigurationError
from userscope.generate.columns import TYPES, Column
from userscope.migrations import projects
from userscope.migrations.projects import Project

ROW = "00000000-0000-0000-0000-000000000001"
"""The id of a parent's row in a test: an id is one owner's, so each user has one of it."""
_COLUMN = re.compile(rf"^    (\w+) +({'|'.join(TYPES)})\b(.*)$", re.MULTILINE)
_KEY = re.compile(r"foreign key \(owner_id, \w+\) references app(?:_fenced)?\.(\w+)")


@dataclass(frozen=True)
class Parent:
    """``change`` makes it, ``home`` is its schema, and ``rows`` are the inserts that a test needs before it."""

    name: str
    change: str
    home: str
    rows: Sequence[str]

    def words(self, table: str, home: str, column: str) -> dict[str, str]:
        """Return what the templates say of it: of ``table`` in the schema ``home``, whose ``column`` holds its id."""
        one = column.removesuffix("_id").replace("_", " ")
        key, index = f"{table}_{column}_fkey", f"{table}_owner_id_{column}_idx"
        here, there = f"{home}.{table}", f"{self.home}.{self.name}"
        return {
            "requires_parent": f"-- requires: {self.change}\n",
            "parent_key": f",\n    constraint {key} foreign key (owner_id, {column}) "
            f"references {there} on delete cascade",
            "parent_comment": f"comment on constraint {key} on {here} is 'You have no such {one}.';\n",
            "parent_index": f"\ncreate index {index} on {here} (owner_id, {column});\n"
            f"comment on index {home}.{index} is 'What belongs to one {one}, and goes with it.';\n",
            "parent_facts": f"    constraint {key} FOREIGN KEY (owner_id, {column}) REFERENCES {there}(owner_id, id) "
            f"ON DELETE CASCADE\n    CREATE INDEX {index} ON {here} USING btree (owner_id, {column})\n",
            "parent_rows": "".join(f'            run(session, "{row}")\n' for row in self.rows),
        }


NONE = dict.fromkeys(
    ("requires_parent", "parent_key", "parent_comment", "parent_index", "parent_facts", "parent_rows"), ""
)
"""What the templates say where there is none."""


class Reference(Column):
    """The column that holds the id of a parent's row."""

    @property
    def value(self) -> str:
        """An SQL expression of its type: the row that a test makes before."""
        return f"'{ROW}'"


def find(name: str, schema: Project) -> Parent:
    """Find a table among those of ``schema`` and ours. Raises ConfigurationError where nothing makes it."""
    ours = projects.load(projects.shipped() / "schema")
    for project in (schema, ours):
        if name in project.plan.lookup:
            script = project.script("deploy", name)
            change = name if project.name == schema.name else f"{project.name}:{name}"
            return _read(name, change, script, schema)
    raise ConfigurationError(
        f'no change "{name}" makes a table to refer to',
        hint="Name one that userscope new-table wrote, or todos; any other foreign key is written by hand.",
    )


def _read(name: str, change: str, script: Path, schema: Project) -> Parent:
    text = script.read_text(encoding="utf-8") if script.is_file() else ""
    made = re.search(rf"^create table (app|app_fenced)\.{name} \((.*?)^\);", text, re.MULTILINE | re.DOTALL)
    if made is None or "primary key (owner_id, id)" not in made[2]:
        raise ConfigurationError(
            f'"{script}" makes no table app.{name} whose key is (owner_id, id)',
            hint="Only such a key can be referred to without telling of other people's rows.",
        )
    further = [parent for parent in _KEY.findall(made[2]) if parent != name]
    before = [row for parent in further for row in find(parent, schema).rows]
    values = {"id": f"'{ROW}'"}
    for column, kind, rules in _COLUMN.findall(made[2]):
        if column not in ("owner_id", "id") and "not null" in rules and "default" not in rules:
            values[column] = f"'{ROW}'" if kind == "uuid" else "'x'" if kind == "text" else TYPES[kind]
    row = f"insert into app.{name} ({', '.join(values)}) values ({', '.join(values.values())})"  # noqa: S608  # for a test
    return Parent(name, change, made[1], [*before, row])
