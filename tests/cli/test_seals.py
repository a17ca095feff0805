"""``userscope seal-key``: a key is printed once, and every change of sealing says what it does."""

import json
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.cli.runner import Done, Runner
from tests.cli.terminal import Terminal
from tests.clusters import Database
from userscope.identity import SealKey

type SealKeyCommand = Callable[..., Done]


@pytest.fixture
def configured(database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Runner:
    """The command line of a database's admin."""
    return Runner(tmp_path, capfd, ADMIN_DATABASE_URL=database.url().text())


@pytest.fixture
def seal_key(configured: Runner) -> SealKeyCommand:
    """Runs ``userscope seal-key``."""
    return partial(configured, "seal-key")


def test_introduce_and_rotate(seal_key: SealKeyCommand) -> None:
    """The whole road on the command line; no key is shown twice."""
    assert seal_key("require", code=2).stderr.startswith("ERROR:  there is no active seal key\n")
    made = json.loads(seal_key("new", "--json").stdout)
    assert set(made) == {"id", "key", "created_at"}
    assert SealKey.parse(made["key"]).id == made["id"]
    assert seal_key("require").stdout == "A seal is required.\n"

    plain = seal_key("new")
    second = SealKey.parse(plain.stdout.rstrip("\n"))  # the key is all that stands on standard output
    assert "not shown again" in plain.stderr
    seal_key("retire", made["id"], "--yes")
    refused = seal_key("retire", second.id, code=2)
    assert refused.stderr.startswith(f'ERROR:  the seal key "{second.id}" is the last active one\nDETAIL:')

    listed = seal_key("list")
    assert made["id"] in listed.stdout
    assert "A seal is required.\n" in listed.stdout
    for output in (listed.stdout, seal_key("list", "--json").stdout):
        for secret in (made["key"], second.text()):
            assert secret.partition(":")[2] not in output
    report = json.loads(seal_key("list", "--json").stdout)
    assert report["required"] is True
    assert [(key["id"], key["retired_at"] is None) for key in report["keys"]] == [
        (made["id"], False),
        (second.id, True),
    ]
    assert "is not required" in seal_key("relax").stdout


@pytest.mark.breadth
def test_rotate(configured: Runner, seal_key: SealKeyCommand) -> None:
    """Step by step at a terminal: the old key counts until a person says that it may go."""
    first = SealKey.parse(seal_key("new").stdout.rstrip("\n"))
    command = [sys.executable, "-m", "userscope", "seal-key", "rotate"]
    for answer, code, said in (("n", 1, "still counts"), ("y", 0, "")):
        terminal = Terminal(command, dict(configured.environment))
        terminal.wait_for(f'Retire the key "{first.id}"?')
        second = re.findall(r"\b([0-9a-f]{8}):[\w+/]+=", terminal.shown)[-1]
        active = {key["id"] for key in json.loads(seal_key("list", "--json").stdout)["keys"] if not key["retired_at"]}
        assert {first.id, second} <= active, "both count while the person has not answered"
        terminal.type(answer, then=said or answer)
        if answer == "y":  # the key of the time before, which was answered "n"
            terminal.wait_for('3. Retire the key "')
            terminal.type("y", then="y")
        assert terminal.ended() == code
    left = [key["id"] for key in json.loads(seal_key("list", "--json").stdout)["keys"] if not key["retired_at"]]
    assert left == [second]


def test_rotate_needs_a_person(seal_key: SealKeyCommand) -> None:
    """A script is told what to do instead, before a key is made."""
    assert seal_key("rotate", code=2).stderr == (
        "ERROR:  a rotation waits for a person, and there is no terminal\n"
        'HINT:  In a script: "userscope seal-key new", give it to every service, "userscope seal-key retire ID".\n'
    )
    assert json.loads(seal_key("list", "--json").stdout)["keys"] == []


def test_warning(seal_key: SealKeyCommand, database: Database) -> None:
    """Before a seal is required, who is connected is named: they might not seal."""
    seal_key("new")
    with database.connect("service"):
        assert "app_service  1 connection\n" in seal_key("require").stderr


def test_stuck(seal_key: SealKeyCommand, database: Database) -> None:
    """Where no identity is accepted at all, list says so by its exit code."""
    with database.superuser_connection() as superuser:
        superuser.execute("update app_private.sealing set required = true")
        new, require = '"userscope seal-key new"', '"userscope seal-key require"'
        assert f"No identity is accepted: run {new}." in seal_key("list", code=1).stdout
        superuser.execute("delete from app_private.sealing")
    stuck = seal_key("list", code=1).stdout
    assert "cannot be read" in stuck
    assert f"run {new}, then {require}." in stuck
    seal_key("new")
    assert f"run {require}." in seal_key("list", code=1).stdout
    seal_key("require")  # the cure
    assert "A seal is required." in seal_key("list").stdout


def test_pooled_host(configured: Runner) -> None:
    """A pooled host is refused."""
    configured.environment["ADMIN_DATABASE_URL"] = "postgresql://o:s3cret@ep-x-pooler.example.org/app"
    refused = configured("seal-key", "list", code=2)
    assert 'ADMIN_DATABASE_URL names the pooled host "ep-x-pooler.example.org"' in refused.stderr
    assert "s3cret" not in refused.stderr
