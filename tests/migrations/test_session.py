"""One connection: it waits for the server whatever else the process has open."""

import os
import resource
from contextlib import ExitStack
from pathlib import Path

from tests.clusters import Database
from tests.migrations.sketch import Sketch, write
from userscope.migrations import runner


def test_many_files(empty: Database, tmp_path: Path) -> None:
    """A service that has a thousand files open can migrate: the connection is no small number then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        for _ in range(1100):
            stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        assert runner.migrate(empty.url(), [write(tmp_path / "p", Sketch.table("a"))]) == ["p:a"]
