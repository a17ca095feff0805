"""docs/migrations.md: reworking a policy works as the page tells, and so it does with Sqitch."""

import re
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from tests.clusters import Database, make_logins
from tests.docs import console
from tests.migrations import sqitch
from tests.migrations.conftest import ROOT, copied, rows
from userscope.migrations import runner
from userscope.migrations.projects import load

PAGE = (ROOT / "docs" / "migrations.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## Reworking a policy\n")[2].partition("\n## ")[0]


HIDE = """\
-- Deploy policies:todos to pg
-- requires: todos@v1.0

begin;

alter policy select_own on app.todos
    using (owner_id = (select app.current_user_id()) and not completed);

commit;
"""
SHOW = """\
-- Revert policies:todos from pg

begin;

alter policy select_own on app.todos
    using (owner_id = (select app.current_user_id()));

commit;
"""


@pytest.mark.breadth
def test_rework(empty: Database, other: Database, tmp_path: Path) -> None:
    """As the page says, on a database where the first version is deployed: deploy and revert change what users see."""
    schema, policies = copied(ROOT, tmp_path, "schema", "policies")
    runner.migrate(empty.url(), [schema, policies])
    (lines,) = console.blocks(SECTION, "text")
    for kind, text in {"deploy": HIDE, "verify": "begin;\nselect 1;\nrollback;\n", "revert": SHOW}.items():
        folder = policies.folder / kind
        shutil.copy(folder / "todos.sql", folder / "todos@v1.0.sql")
        (folder / "todos.sql").write_text(text, encoding="utf-8")
    plan = policies.folder / "sqitch.plan"
    plan.write_text(plan.read_text(encoding="utf-8") + lines, encoding="utf-8")
    pair = [schema, load(policies.folder)]

    make_logins(empty)
    alice = uuid4()
    with empty.connect("auth") as auth:
        auth.execute("insert into app.users (id, name, email) values (%s, 'A', 'a@x.io')", [alice])

    def seen() -> list[str]:
        with empty.connect("service") as service, service.transaction():
            service.execute("select app.set_user_id(%s)", [str(alice)])
            return [row[0] for row in service.execute("select title from app.todos order by title").fetchall()]

    with empty.connect("service") as service, service.transaction():
        service.execute("select app.set_user_id(%s)", [str(alice)])
        service.execute("insert into app.todos (title, completed) values ('done', true), ('open', false)")
    assert seen() == ["done", "open"]
    assert runner.migrate(empty.url(), pair) == ["policies:todos"]
    assert seen() == ["open"]
    assert runner.revert(empty.url(), pair, to="policies:@v1.0", confirm=lambda _: True) == ["policies:todos"]
    assert seen() == ["done", "open"]

    runner.migrate(empty.url(), pair)
    for project in pair:
        sqitch.run(project.folder, other.url(), "deploy", "--verify")
    assert [row[0] for row in rows(empty)["changes"]] == [row[0] for row in rows(other)["changes"]]


def test_links() -> None:
    """The table of contents names the sections that there are."""
    named = re.findall(r"^- \[(.+)\]\(#(.+)\)$", PAGE, re.MULTILINE)
    assert [name for name, _ in named] == re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    for name, anchor in named:
        assert re.sub(r"[^a-z -]", "", name.lower()).replace(" ", "-") == anchor
