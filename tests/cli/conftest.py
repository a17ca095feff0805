"""The command line of somebody who has set up nothing but a database."""

import os
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.clusters import Database
from tests.migrations.sqitch import COMMITTER


@pytest.fixture
def cli(folder: Path, empty: Database, capfd: pytest.CaptureFixture[str]) -> Runner:
    """The command line with the empty database configured, in an empty folder."""
    nowhere = {"SQITCH_USER_CONFIG": os.devnull, "SQITCH_SYSTEM_CONFIG": os.devnull}
    return Runner(folder, capfd, ADMIN_DATABASE_URL=empty.url().text(), **COMMITTER, **nowhere)
