"""Programs of this folder that use Better Auth without a server."""

import os
import secrets
import subprocess
from pathlib import Path

from tests.better_auth.people import variables
from tests.clusters import Database


def run(program: str, database: Database, given: str = "") -> str:
    """Run one on a database and return what it prints; a failure is an error."""
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **variables(database, secrets.token_urlsafe(32)),
        "BETTER_AUTH_URL": "http://127.0.0.1:3000",
        "ADMIN_DATABASE_URL": database.url().text(),
    }
    command = ["node", str(Path(__file__).with_name(program))]
    done = subprocess.run(command, env=environment, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
