"""check --adopt finds out how much of its plans a database holds that was made otherwise; --log-only records that."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.clusters import Database
from tests.migrations import sqitch
from tests.migrations.conftest import deployed, rows
from tests.migrations.sketch import Sketch, write

A, B, C, D = (Sketch.table(name) for name in "abcd")
SILENT = Sketch("silent", "begin;\nselect 'silent';\ncommit;\n", "select 1;\n", "-- XXX Add verifications here.\n")
NONE = Sketch("none", "begin;\nselect 'none';\ncommit;\n", "select 2;\n", None)
AGAIN = Sketch("a", "begin;\nalter table public.a add n int;\ncommit;\n", "select 3;\n", "select n from public.a;\n")


@pytest.fixture
def cli(folder: Path, empty: Database, capfd: pytest.CaptureFixture[str]) -> Runner:
    """The command line on a database where somebody else made the tables a, b and c."""
    with empty.connect("admin") as connection:
        connection.execute("create table a (id int, n int); create table b (id int); create table c (id int)")
    return Runner(folder, capfd, ADMIN_DATABASE_URL=empty.url().text(), **sqitch.environment())


def test_adopt(cli: Runner, empty: Database) -> None:
    """The last change that holds is named, with the command that records it; what follows is deployed, by either."""
    write(cli.folder / "p", SILENT, A, "@v1", NONE, AGAIN, B, D, C)
    for kind in ("deploy", "revert", "verify"):
        text = getattr(A, kind)
        (cli.folder / "p" / kind / "a@v1.sql").write_text(text, encoding="utf-8")
    write(cli.folder / "q", Sketch.table("e"), name="q")
    both = ("--project", "p", "--project", "q")
    said = [re.sub(r" [.]+ ", " .. ", line) for line in cli("check", "--adopt", *both, code=1).stdout.splitlines()[1:]]
    assert said == [
        "  * p:a .. ok",
        "  * p:b .. ok",
        "  * p:d .. not ok",
        "  * q:e .. not ok",
        'p: "b" and what is planned before it is there (5 of 7 pending)',
        "q: nothing that is pending is there (1 pending)",
        "To record that, as if it had been deployed:",
        "  userscope migrate --log-only --to p:b",
    ]
    assert rows(empty) == {}, "it only looks"
    found = json.loads(cli("check", "--adopt", *both, "--json", code=1).stdout)
    assert [(each["project"], each["last"], each["held"], each["pending"]) for each in found] == [
        ("p", "b", 5, 7),
        ("q", None, 0, 1),
    ]
    assert 'relation "public.d" does not exist' in found[0]["problem"]
    cli(*said[-1].split()[1:], *both)
    assert deployed(empty) == ["p:silent", "p:a", "p:none", "p:a", "p:b"]
    assert "Verify successful" in sqitch.run(cli.folder / "p", empty.url(), "verify", "--to", "b").output
    sqitch.run(cli.folder / "p", empty.url(), "deploy", "--to", "d")
    assert cli("check", "--adopt", "--project", "p", code=1).stdout.splitlines()[-1].endswith("--log-only --to p:c")
    cli("migrate", "--log-only", "--to", "p:c", "--project", "p")
    assert cli("check", "--adopt", "--project", "p").stdout.splitlines()[-1] == "p: everything is recorded"


def test_reworked_name(cli: Runner) -> None:
    """A change that was planned twice is named so that it can be meant."""
    write(cli.folder / "p", A, "@v1", AGAIN, D)
    said = cli("check", "--adopt", "--project", "p", code=1).stdout.splitlines()
    assert said[-1] == "  userscope migrate --log-only --to p:a@HEAD"
