"""The command, run as a person would."""

import pytest

from tests.cli.runner import Runner
from tests.clusters import ROOT, Database
from tests.mutation.running import Mutate


@pytest.fixture
def mutate(capfd: pytest.CaptureFixture[str]) -> Mutate:
    """Runs the command on a database, one mutant at a time, for somebody who has set all three URLs."""

    def run(database: Database, *arguments: str, **more: str) -> tuple[int, str, str]:
        settings = database.environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | more
        done = Runner(ROOT, capfd, **settings)("mutate", "--jobs", "1", *arguments, code=None)
        return done.code, done.stdout, done.stderr

    return run
