"""Runs "userscope mutate", and plants what it would."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.clusters import ROOT, Connection, Database
from userscope.mutation.mutants import Mutant

type Mutate = Callable[..., tuple[int, str, str]]
"""``mutate(database, *words, **settings)``: exit code, and what was printed on standard output and error."""

SHOP = Path(__file__).parent / "shop"
OURS = ROOT / "schema" / "mutants"


def start(database: Database, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """Start the command on a database as a process of its own, as somebody who has set all three URLs."""
    environment = {name: text for name, text in os.environ.items() if "DATABASE" not in name}
    environment |= database.environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | more
    command = [sys.executable, "-m", "userscope", "mutate", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@contextmanager
def planted(connection: Connection, mutant: Mutant) -> Iterator[None]:
    """Have a defect until the end of the block."""
    with connection.transaction(force_rollback=True):
        for statement in mutant.ddl:
            connection.execute(statement.encode())
        yield
