"""The real Sqitch: its parser as an oracle, and its command line on a database."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.clusters import unavailable
from userscope.urls import ConnectionURL

ORACLE = Path(__file__).with_name("oracle.pl")
COMMITTER = {"SQITCH_FULLNAME": "Ada Love", "SQITCH_EMAIL": "ada@example.com"}


def require() -> None:
    """Skip where Sqitch is not installed; fail where CI=true."""
    if shutil.which("sqitch") is None:
        unavailable("sqitch is not installed (Debian: apt-get install sqitch libdbd-pg-perl)")


def environment(**more: str) -> dict[str, str]:
    """The environment in which Sqitch knows nothing of this machine's users and configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SQITCH_", "PG"))}
    nowhere = {f"SQITCH_{which}_CONFIG": os.devnull for which in ("SYSTEM", "USER")}
    return {**kept, **nowhere, **COMMITTER, "LC_ALL": "C.UTF-8", "TZ": "UTC", **more}


class Oracle:
    """Sqitch's parser in a process of its own."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def ask(self, plan: bytes) -> dict[str, Any]:
        """What Sqitch makes of a plan: ``{"error": …}`` where it refuses it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"%d\n%s" % (len(plan), plan))
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def oracle(folder: Path) -> Iterator[Oracle]:
    """Run the oracle in ``folder``, where it looks for the deploy scripts of reworked changes."""
    require()
    command = ["perl", str(ORACLE)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder, env=environment()
    ) as process:
        yield Oracle(process)
        assert process.stdin is not None
        process.stdin.close()


def run(project: Path, url: ConnectionURL, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run ``sqitch ARGUMENTS`` in a project's folder on the database of ``url``."""
    require()
    params = url.params
    server = {
        "PGHOST": params["host"],
        "PGPORT": params["port"],
        "PGUSER": params["user"],
        "PGPASSWORD": params["password"],
    }
    done: subprocess.CompletedProcess[str] = subprocess.run(
        ["sqitch", *arguments, "--target", f"db:pg:{params['dbname']}"],
        cwd=project,
        env=environment(**server),
        capture_output=True,
        text=True,
        check=False,
    )
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done
