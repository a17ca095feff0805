"""``userscope init``: an empty folder becomes a project that deploys and whose test passes; nothing is overwritten."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.clusters import Database, make_logins

TABLE = ("--table", "notes title:text:200 done:boolean")


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.breadth
def test_whole(cli: Runner, empty: Database) -> None:
    """init, migrate, pytest: green; a second table goes where the first went."""
    done = cli("init", *TABLE)
    assert done.stdout.splitlines()[-1] == ('Next: "userscope migrate && pytest"; "userscope new-table" adds more.')
    assert "+ us_" in cli("migrate").stdout.partition("policies:organizations")[2]
    make_logins(empty)
    test = ("pytest", "-q", "-x", "-p", "no:cacheprovider", "--import-mode=importlib")
    environment = cli.environment | empty.environment | {"PYTHONDONTWRITEBYTECODE": "1"}
    passed = subprocess.run(
        [sys.executable, "-m", *test], cwd=cli.folder, env=environment, capture_output=True, text=True, check=False
    )
    assert (passed.returncode, " passed" in passed.stdout) == (0, True), passed.stdout + passed.stderr
    added = cli("new-table", "people", "name:text", "--one", "person", "--test", "tests/test_people.py")
    assert "  + db/schema/deploy/people.sql\n" in added.stdout
    assert added.stdout.splitlines()[-1] == 'Next: read them, add what is your own, and run "userscope migrate".'
    assert not (cli.folder / "tests" / "conftest.py").exists()  # the folder's own is enough
    before = contents(cli.folder)
    assert "has a section [tool.userscope] already" in cli("init", code=2).stderr
    assert contents(cli.folder) == before


def test_beside_what_is_there(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A pyproject.toml gets the section at its end and keeps the rest; one that has it, or is none, is refused."""
    run = Runner(tmp_path, capfd)
    settings = tmp_path / "pyproject.toml"
    for text, words in (
        ("[tool.userscope]\n", "has a section [tool.userscope] already"),
        ("[tool", "is not valid"),
        ("tool = {}\n", "is not valid"),
    ):
        settings.write_text(text, encoding="utf-8")
        assert words in run("init", code=2).stderr
        assert contents(tmp_path) == {settings: text.encode()}
    settings.write_text('[project]\nname = "shop"', encoding="utf-8")
    assert "  + pyproject.toml\n" in run("init", "--core").stdout
    text = settings.read_text(encoding="utf-8")
    assert text == '[project]\nname = "shop"\n\n[tool.userscope]\nours = "core"\nprojects = ["db"]\n'


def test_own_users(cli: Runner, empty: Database) -> None:
    """With the core alone and ids of another kind, in the variable or as an option: deployed, owned by such ids."""
    environment = cli.environment
    assert "users are known by uuids, and not by text" in cli("init", "--owner-type", "text", code=2).stderr
    environment["USERSCOPE_USER_ID"] = "bigint"
    assert contents(cli.folder) == {}
    done = cli("init", "--core", *TABLE).stdout
    assert "Services, tests and new-table are told of such ids by USERSCOPE_USER_ID=bigint.\n" in done
    assert 'Next: "export USERSCOPE_USER_ID=bigint && userscope migrate && pytest"' in done
    cli("migrate")
    with empty.connect() as owner:
        kind = (
            "select data_type from information_schema.columns where table_name = 'notes' and column_name = 'owner_id'"
        )
        assert owner.execute(kind).fetchone() == ("bigint",)
        assert owner.execute("select to_regclass('app.users')").fetchone() == (None,)


def test_all_or_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Where a part cannot be written, nothing is."""
    run = Runner(tmp_path, capfd)
    (tmp_path / "notes.py").write_text("mine\n", encoding="utf-8")
    before = contents(tmp_path)
    assert '"notes.py" is there already' in run("init", *TABLE, code=2).stderr
    assert '"Notes" is no name for a table' in run("init", "--table", "Notes", code=2).stderr
    assert contents(tmp_path) == before


def test_conftest(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """new-table brings the conftest.py that its test needs, and says the --project that it was given."""
    for part in ("what", "who"):
        (tmp_path / "own" / part).mkdir(parents=True)
        plan = f"%syntax-version=1.0.0\n%project={part}\n\n"
        (tmp_path / "own" / part / "sqitch.plan").write_text(plan, encoding="utf-8")
    words = ("new-table", "notes", "--test", "checks/test_notes.py", "--project", "own")
    done = Runner(tmp_path, capfd, SQITCH_CONFIG=os.devnull)(*words)
    assert "  + checks/conftest.py\n" in done.stdout
    assert done.stdout.endswith('and run "userscope migrate --project own".\n')
