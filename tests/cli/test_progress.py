"""What takes long says what it is at: one line at a terminal, one each half minute elsewhere, none for programs."""

import os
import re
import sys
import threading
import time

import pytest

from tests.cli.terminal import Terminal
from userscope.cli import _progress
from userscope.cli._ledger import Ledger
from userscope.migrations.engine import Event


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half minutes are short."""
    monkeypatch.setattr(_progress, "EVERY", 0.05)


def twice(capsys: pytest.CaptureFixture[str], line: str) -> tuple[str, str]:
    """Return what was printed until a line stood there twice."""
    out = err = ""
    deadline = time.monotonic() + 60
    while len(re.findall(line, err)) < 2:
        assert time.monotonic() < deadline, out + err
        time.sleep(0.01)
        said = capsys.readouterr()
        out, err = out + said.out, err + said.err
    return out, err


@pytest.mark.usefixtures("often")
def test_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """A step that takes long is told again and again, with its name; nothing stands on standard output."""
    with _progress.progress("sample-data") as say:
        say("3 of 9 users")
        out, _ = twice(capsys, r"sample-data: 3 of 9 users \(\d+ s\)\n")
    assert out == ""


@pytest.mark.usefixtures("often")
def test_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is told, and nobody counts."""
    before = threading.active_count()
    with _progress.progress("audit", quiet=True) as say, Ledger(as_json=True).going_on():
        say("drift")
        assert threading.active_count() == before
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("often")
def test_slow_change(capsys: pytest.CaptureFixture[str]) -> None:
    """A migration's ledger stays whole: what is said stands between the change's beginning and its end."""
    ledger = Ledger(as_json=False)
    with ledger.going_on():
        ledger.show(Event("start", "app:big", "+", 7))
        out, _ = twice(capsys, r"app:big goes on: \d+ s so far\n")
        ledger.show(Event("ok", "app:big", "+", 7, 61.0))
    assert out + capsys.readouterr().out == "  + app:big .. \n  + app:big .. ok (61000 ms)\n"


AT_A_TERMINAL = """
import sys
from userscope.cli._progress import progress
with progress("probe") as say:
    say("filling")
    sys.stdin.readline()
print("that was it")
"""


def test_at_a_terminal() -> None:
    """One line tells what it is at, and is gone at the end."""
    terminal = Terminal([sys.executable, "-c", AT_A_TERMINAL], os.environ | {"TERM": "xterm"})
    terminal.wait_for("probe: filling")
    shown = terminal.type("", then="that was it")
    assert "\x1b[2K" in shown  # the line is taken away
    assert terminal.ended() == 0
