""" "userscope mutate" as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.clusters import ROOT, Database

SHOP = Path(__file__).parent / "shop"
OURS = ROOT / "schema" / "mutants"


def start(database: Database, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """Start the command on a database, as somebody who has set all three URLs."""
    environment = {name: text for name, text in os.environ.items() if "DATABASE" not in name}
    environment |= database.environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | more
    command = [sys.executable, "-m", "userscope", "mutate", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def mutate(database: Database, *arguments: str, **more: str) -> tuple[int, str, str]:
    """Run the command; return its exit code and what it printed on standard output and error."""
    with start(database, *arguments, **more) as process:
        output, errors = process.communicate()
    return process.returncode, output, errors
