"""Wrong input on every command: one error in PostgreSQL's form, the right exit code, no traceback."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from tests.cli.runner import Runner
from tests.cli.test_app import every
from tests.clusters import Database, first_of
from userscope.cli.app import app

WORDS = list(every(get_command(app)))
FORM = re.compile(r"ERROR:  [^\n]+(?:\n(?:DETAIL|HINT):  [^\n]+|\n(?!ERROR|Traceback)[^\n]+)*\n")


@pytest.mark.parametrize("words", [words for words in WORDS if words != ("mutate",)], ids=" ".join)
def test_unknown_option(tmp_path: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    """An option that there is not is named, with where to look; mutate alone passes what it does not know on."""
    done = Runner(tmp_path, capfd)(*words, "--no-such-thing", code=2)
    assert done.stdout == ""
    assert done.stderr.startswith('ERROR:  there is no option "--no-such-thing"\nHINT:  ')
    assert done.stderr.endswith(f'"userscope {" ".join(words)} --help" tells what there is.\n')
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("revert", "revert needs either --to or --all"),
        ("migrate --to schema:nowhere", '"schema:nowhere"'),
        ("migrate --lock-timeout soon", "soon"),
        ("migrate --project nowhere", "nowhere"),
        ("plan nowhere.plan", "nowhere.plan"),
        ("audit --only nonsense", 'there is no rule "nonsense"'),
        ("audit --baseline nowhere.toml", "nowhere.toml"),
        ("audit --sql nonsense", 'there is no question "nonsense"'),
        ("psql --as nonsense", "the user id is not a uuid"),
        ("seal-key retire nonsense", '"nonsense"'),
        ("create-login x --role nonsense", "nonsense"),
        ("protect nonsense --owner x", "nonsense"),
        ("mutate", "no command was given"),
    ],
)
def test_bad_value(database: Database, folder: Path, capfd: pytest.CaptureFixture[str], words: str, said: str) -> None:
    """What means nothing is named in one error."""
    done = Runner(folder, capfd, **database.environment)(*words.split(), code=2)
    assert FORM.fullmatch(done.stderr), done.stderr
    assert said in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        *("migrate", "revert --all --yes", "verify", "mutate -- true", "seal-key new", "seal-key list"),
        *("seal-key require --yes", "create-login x --role app_user"),
    ],
)
def test_no_rights(database: Database, folder: Path, capfd: pytest.CaptureFixture[str], words: str) -> None:
    """A service's login in the owner's place: refused in words, nothing changed, no traceback."""
    url = database.url("service").text()
    done = Runner(folder, capfd, ADMIN_DATABASE_URL=url)(*words.split(), code=None)
    assert done.code in (1, 2), done
    assert "Traceback" not in done.stderr
    assert done.code == 1 or len(re.findall("^ERROR:  ", done.stderr, re.MULTILINE)) == 1, done.stderr
    assert database.url("service").params["password"] not in done.stdout + done.stderr


WAITING = ("status", "audit", "health", "migrate", "doctor", "sample-data", "probe", "mutate --list", "psql")


@pytest.mark.parametrize("words", first_of(*WAITING))
def test_interrupted(tmp_path: Path, words: str) -> None:
    """Ctrl-C ends a command that waits, at once, with 130 and in one line."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"postgresql://me:Zx9qWv7k@127.0.0.1:{listening.getsockname()[1]}/app?sslmode=disable"
        variables = {"DATABASE_URL": url, "ADMIN_DATABASE_URL": url, "DATABASE_POOL_TIMEOUT": "60"}
        process = subprocess.Popen(
            [sys.executable, "-m", "userscope", *words.split()],
            env=os.environ | variables, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        with process, listening.accept()[0] as accepted:
            accepted.recv(1)  # it waits for an answer now
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "")
    assert re.fullmatch(r"\n?ERROR:  interrupted\n(?:DETAIL:.*\nHINT:.*\n)?", err), err
