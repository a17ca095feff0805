"""Our two Sqitch projects, deployed by psql."""

import os
import subprocess
from pathlib import Path

import psycopg

from tests.versions import ROOT
from userscope.local.binaries import Binaries
from userscope.postgres.url import ConnectionURL


def run_psql(url: ConnectionURL, *arguments: str | Path) -> str:
    """Run the embedded psql on ``url``, without anybody's psqlrc, and return what it prints; a failure is an error."""
    params = dict(url.params)
    environment = {
        **os.environ,
        "PGPASSWORD": params.pop("password", ""),
        "PGOPTIONS": "-c client_min_messages=warning",
    }
    options = ("-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", psycopg.conninfo.make_conninfo(**params))
    command = [Binaries.embedded() / "psql", *options, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def changes(project: str) -> list[str]:
    """The names of a project's changes, in the order of its plan."""
    lines = (ROOT / project / "sqitch.plan").read_text(encoding="utf-8").splitlines()
    return [line.split()[0] for line in lines if line.strip() and line[0] not in "%#@"]


CHANGES = [(project, change) for project in ("schema", "policies") for change in changes(project)]
"""Every change with its project, in the order in which they are deployed."""


def deploy(url: ConnectionURL) -> None:
    """Deploy every change of both projects as the admin of ``url``."""
    scripts = [ROOT / project / "deploy" / f"{change}.sql" for project, change in CHANGES]
    run_psql(url, *(word for script in scripts for word in ("-f", script)))
