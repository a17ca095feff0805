"""``userscope new-table … --references``: each row belongs to a row of another table, of the same owner."""

from pathlib import Path

import pytest

from tests.clusters import Database
from tests.generate.conftest import Run
from userscope.errors import ConfigurationError
from userscope.generate.parent import ROW, find
from userscope.generate.table import Table
from userscope.migrations import projects


@pytest.mark.breadth
def test_references(run: Run, clone: Path, migrated: Database) -> None:
    """A table that belongs to rows of another, behind a fence or not, deploys, verifies and passes its test."""
    for words in (
        ("lists", "name:text:5", "due:date"),
        ("items", "body:text", "--references", "lists", "--fenced"),
        ("notes", "body:text", "--references", "items", "--test", "test_notes.py"),
    ):
        done = run(clone, "userscope", "new-table", *words)
        assert done.code == 0, done.stderr
    for command in (["migrate"], ["verify"], ["audit"]):
        done = run(clone, "userscope", *command, database=migrated)
        assert done.code == 0, done.stdout + done.stderr
    test = ("pytest", "-q", "-x", "-W", "error", "-p", "no:cacheprovider", "test_notes.py")
    assert "9 passed" in run(clone, *test, database=migrated).stdout
    with migrated.superuser_connection() as superuser:
        keys = "select pg_get_constraintdef(oid) from pg_constraint where conname = 'notes_item_id_fkey'"
        assert superuser.execute(keys.encode()).fetchone() == (
            "FOREIGN KEY (owner_id, item_id) REFERENCES app_fenced.items(owner_id, id) ON DELETE CASCADE",
        )


def test_references_what_is_made(clone: Path) -> None:
    """What a new table refers to is made by a change of its own project or of ours, and is keyed by its owner first."""
    (schema,) = projects.find([clone / "schema"])
    (row,) = find("todos", schema).rows
    assert row == f"insert into app.todos (id, title) values ('{ROW}', 'x')"
    table = Table.of("notes", ["body:text"], parent=find("todos", schema))
    texts = table.scripts("schema", "policies")
    assert "-- requires: todos\n" in texts["schema", "deploy"]
    assert "foreign key (owner_id, todo_id) references app.todos on delete cascade" in texts["schema", "deploy"]
    assert "grant select (owner_id, id, body, todo_id, created_at" in texts["policies", "deploy"]
    for name, words in (("nothing", "makes a table to refer to"), ("users", "makes no table app.users whose key is")):
        with pytest.raises(ConfigurationError, match=words):
            find(name, schema)
