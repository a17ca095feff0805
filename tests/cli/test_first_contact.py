"""The first minutes: mistyped words, other folders, no migration yet, a terminal of 80 columns, output that fails."""

import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

import pytest

import userscope as package
from tests.cli.runner import Runner
from tests.cli.terminal import Terminal
from tests.clusters import ROOT, Database, first_of
from userscope.local.server import Server
from userscope.settings import Settings

PLAN = str(ROOT / "schema" / "sqitch.plan")
ESCAPE = re.compile(r"\x1b\[")


@pytest.fixture
def run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Runner:
    """The command line of somebody who has set up nothing at all."""
    return Runner(tmp_path, capfd)


def test_version(run: Runner) -> None:
    """The package tells its version, on the command line and in Python."""
    assert run("--version").stdout == f"userscope {version('userscope')}\n"
    assert package.__version__ == version("userscope")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "migrat",
            'there is no command "migrat"\nHINT:  Did you mean "migrate"? "userscope --help" tells what there is.',
        ),
        ("xyzzy", 'there is no command "xyzzy"\nHINT:  "userscope --help" tells what there is.'),
        (
            "migrate --dry",
            'there is no option "--dry"\n'
            'HINT:  Did you mean --dry-run or --verify or --yes? "userscope migrate --help" tells what there is.',
        ),
        (
            "seal-key lst",
            'there is no command "lst"\nHINT:  Did you mean "list"? "userscope seal-key --help" tells what there is.',
        ),
        ("url --as root", 'invalid value for "--as": "root" is not one of "service", "auth", "admin"'),
        ("create-login x", 'missing option "--role"\nHINT:  "userscope create-login --help" tells what there is.'),
    ],
)
def test_mistyped(run: Runner, words: str, said: str) -> None:
    """A word that means nothing is named, in PostgreSQL's form, with what may have been meant."""
    assert run(*words.split(), code=2).stderr.startswith(f"ERROR:  {said}")


@pytest.mark.parametrize(("shell", "answer"), [("bash", "migrate"), ("zsh", '"migrate"'), ("fish", "migrate")])
def test_completion(run: Runner, monkeypatch: pytest.MonkeyPatch, shell: str, answer: str) -> None:
    """The shells are told what a word may become; the script that asks is printed for the shell one comes from."""
    asked = {"_USERSCOPE_COMPLETE": f"complete_{shell}", "COMP_WORDS": "userscope mi", "COMP_CWORD": "1"}
    run.environment |= asked | {"_TYPER_COMPLETE_ARGS": "userscope mi", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    assert answer in run(code=None).stdout
    for name in asked:
        del run.environment[name]
    monkeypatch.setattr("shellingham.detect_shell", lambda: (shell, f"/bin/{shell}"))  # tests come from any, or none
    assert f"_USERSCOPE_COMPLETE=complete_{shell}" in run("--show-completion").stdout


@pytest.mark.parametrize("words", ["--help", f"plan {PLAN}", f"plan {PLAN} --json", "audit --sql"])
def test_full(words: str) -> None:
    """What cannot be written is told, without a traceback, and is exit code 2: never 1, which is "found something"."""
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m userscope {words} >/dev/full'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.splitlines()[:2]) == (
        2,
        ["ERROR:  what was to be printed could not be written", "DETAIL:  No space left on device."],
    )


def test_closed_pipe() -> None:
    """Nor is a reader who has gone away something that was found."""
    script = f'"{sys.executable}" -m userscope audit --sql | true; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"
    assert "Traceback" not in done.stderr
    assert "DETAIL:  Broken pipe." in done.stderr


def test_not_migrated_yet(run: Runner, tmp_path: Path) -> None:
    """A server that nothing was deployed to: what needs that names the command; and migrate, the server it leaves."""
    project = tmp_path / "project"
    (project / "deep" / "down").mkdir(parents=True)
    (project / "pyproject.toml").touch()
    run.folder = project / "deep" / "down"
    assert 'Run "userscope migrate"' in run("demo", code=2).stderr
    server = Server(project / ".userscope")  # which may lie elsewhere, where root's "nobody" cannot reach it
    assert server.folder is None
    try:
        assert f"{run('up').stdout.split()[4]}" == f"{server.folder}/data"
        early = 'ERROR:  the database has not been migrated yet\nHINT:  Run "userscope migrate" first.\n'
        for words in ("demo", "sample-data", "health", f"psql --as {uuid4()}"):
            assert run(*words.split(), code=2).stderr == early, words
        run("down")
        run.folder = project
        left = f'PostgreSQL goes on running, in "{server.folder}", until "userscope down".\n'
        assert run("migrate").stdout.endswith(left)
        assert run("migrate").stdout == "Nothing to deploy (up-to-date)\n"
        run.folder = project / "deep"
        assert "Nobody reached a row" in run("demo").stdout
    finally:
        run.folder = project / "deep" / "down"
        run("down", "--delete", "--yes")
    assert not (project / ".userscope").exists()


def test_empty_database(empty: Database, run: Runner) -> None:
    """psql --as says what to do on a database that has no identities, and as a login that may set none."""
    run.environment |= {"DATABASE_URL": empty.url().text()}
    assert run("psql", "--as", str(uuid4()), "--", "-c", "select 1", code=2).stderr == (
        "ERROR:  the database was not migrated\n"
        "DETAIL:  Schema app, or its function seal_required, is missing.\n"
        'HINT:  Run "userscope migrate".\n'
    )


def test_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's folder is the project's, as Git finds its root; what is another user's leads nowhere."""
    deep = tmp_path / "project" / "deep" / "down"
    deep.mkdir(parents=True)
    monkeypatch.delenv("USERSCOPE_HOME", raising=False)
    monkeypatch.chdir(deep)
    assert Settings(_env_file=None).home == deep / ".userscope"
    (tmp_path / "project" / ".git").mkdir()
    assert Settings(_env_file=None).home == tmp_path / "project" / ".userscope"
    (deep.parent / ".userscope").mkdir()
    assert Settings(_env_file=None).home == deep.parent / ".userscope"
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    assert Settings(_env_file=None).home == deep / ".userscope"
    monkeypatch.setenv("USERSCOPE_HOME", ".userscope")  # as written: here
    monkeypatch.undo()
    monkeypatch.chdir(deep)
    monkeypatch.setenv("USERSCOPE_HOME", ".userscope")
    assert Settings(_env_file=None).home == deep / ".userscope"


@pytest.mark.parametrize("words", first_of("demo", "audit", "status"))
def test_80_columns(run: Runner, database: Database, words: str) -> None:
    """In a terminal of 80 columns no line is longer, and no id is broken; there is colour, and none with NO_COLOR.

    The demonstration may take ten seconds: it runs in a terminal of its own, twice.
    """
    environment = {**run.environment, **database.environment, "COLUMNS": "80", "TERM": "xterm"}
    command = [sys.executable, "-m", "userscope", words]
    shown = whole(command, environment)
    plain = re.sub(r"\x1b\[[\d;]*m", "", shown)
    long = [line for line in plain.splitlines() if len(line.rstrip()) > 80 and "# On database" not in line]
    assert long == []
    if words == "demo":
        assert len(re.findall(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", plain)) == 4
        assert ESCAPE.search(shown)
        assert not ESCAPE.search(whole(command, environment | {"NO_COLOR": "1"}).replace("\x1b[1m", ""))


@pytest.mark.breadth
def test_colour(run: Runner, empty: Database) -> None:
    """Errors and ledgers are in colour where a person looks, and in no pipe."""
    environment = {**run.environment, "ADMIN_DATABASE_URL": empty.url().text(), "TERM": "xterm"}
    command = [sys.executable, "-m", "userscope", "migrate", "--to", "schema:app"]
    assert "\x1b[32mok\x1b[0m" in whole(command, environment)
    wrong = [sys.executable, "-m", "userscope", "xyzzy"]
    assert whole(wrong, environment).startswith("\x1b[31mERROR:\x1b[0m  there is no command")
    for quiet in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert whole(wrong, environment | quiet).startswith("ERROR:  there is no command")
    run.environment = environment
    assert not ESCAPE.search(run("xyzzy", code=2).stderr)


def whole(command: list[str], environment: dict[str, str]) -> str:
    """What a command shows in a terminal, to its end."""
    terminal = Terminal(command, environment)
    terminal.ended()
    return terminal.shown
