"""A question that is interrupted ends its command at once, and nothing has been done."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.migrations.sketch import Sketch, write


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(cli: Runner, folder: Path, number: signal.Signals) -> None:
    """Neither Ctrl-C nor SIGTERM is taken for silence, or for a wish to be heeded after the answer."""
    write(folder / "p", Sketch.table("a"))
    cli("migrate", "--project", "p")
    command = [sys.executable, "-m", "userscope", "revert", "--all", "--project", "p"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=cli.environment, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        assert process.stderr
        said = ""
        while not said.endswith("Revert? [y/N]:"):
            assert process.poll() is None, said
            said += process.stderr.read(1)
        process.send_signal(number)
        assert process.wait(30) == 130
        assert process.stderr.read().startswith("\nERROR:  interrupted\n")
    assert cli("status", "--project", "p").stdout.endswith("Nothing to deploy (up-to-date)\n")
