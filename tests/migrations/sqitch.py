"""The real Sqitch: its parser as an oracle, and its command line on a database."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.clusters import unavailable
from userscope.local.binaries import Binaries
from userscope.postgres.url import ConnectionURL

ORACLE = Path(__file__).with_name("oracle.pl")
SERVER = Path(__file__).with_name("sqitch_server.pl")
COMMITTER = {"SQITCH_FULLNAME": "Ada Love", "SQITCH_EMAIL": "ada@example.com"}


def require() -> None:
    """Skip where Sqitch is not installed; fail where CI=true."""
    if shutil.which("sqitch") is None:
        unavailable("sqitch is not installed (Debian: apt-get install sqitch libdbd-pg-perl)")


def environment(**more: str) -> dict[str, str]:
    """The environment in which Sqitch knows nothing of this machine's users and configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SQITCH_", "PG"))}
    nowhere = {f"SQITCH_{which}_CONFIG": os.devnull for which in ("SYSTEM", "USER")}
    # Debian's psql is a script that looks for the real one each time.
    path = f"{Binaries.embedded().bindir}{os.pathsep}{os.environ['PATH']}"
    return {**kept, **nowhere, **COMMITTER, "LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": path, **more}


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


@dataclass(frozen=True)
class Done:
    """What a command of Sqitch said, and its exit code."""

    returncode: int
    output: str


def run(
    project: Path,
    url: ConnectionURL,
    *arguments: str,
    check: bool = True,
    target: str | None = None,
    committer: Mapping[str, str] = COMMITTER,
) -> Done:
    """Run ``sqitch ARGUMENTS`` in a project's folder on the database of ``url``."""
    environ = {**_server_of(url), **dict.fromkeys(COMMITTER, ""), **committer}
    done = _server().run(project, [*arguments, "--target", target or f"db:pg:{url.params['dbname']}"], environ)
    if check:
        assert done.returncode == 0, done.output
    return done


def plans(folder: Path, *arguments: str) -> str:
    """Run a command that only writes plans and scripts; return what it says."""
    done = _server().run(folder, list(arguments), {})
    assert done.returncode == 0, done.output
    return done.output


def config(path: Path, key: str, *options: str) -> str:
    """What Sqitch reads for a key in one configuration file."""
    done = _server().run(path.parent, ["config", "--file", str(path), *options, "--get", key], {})
    assert done.returncode == 0, done.output
    return done.output.removesuffix("\n")


def start(project: Path, url: ConnectionURL, *arguments: str) -> "subprocess.Popen[str]":
    """Start the same as a process of its own; its errors come with its output."""
    require()
    command = ["sqitch", *arguments, "--target", f"db:pg:{url.params['dbname']}"]
    return subprocess.Popen(
        command,
        cwd=project,
        env=environment(**_server_of(url)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _server_of(url: ConnectionURL) -> dict[str, str]:
    names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
    return {variable: url.params[name] for variable, name in names.items()}


class _Server:
    """Sqitch's command line, loaded once: most of a run is Perl starting."""

    def __init__(self) -> None:
        require()
        self._process = subprocess.Popen(
            ["perl", str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
        )

    def run(self, folder: Path, arguments: list[str], server: dict[str, str]) -> Done:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.NamedTemporaryFile() as output:
            request = {"cwd": str(folder), "env": environment(**server), "argv": arguments, "output": output.name}
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            code = int(self._process.stdout.readline())
            return Done(code, Path(output.name).read_text(encoding="utf-8"))

    def close(self) -> None:
        """End it."""
        with self._process as process:
            process.terminate()


@cache
def _server() -> _Server:
    return _Server()


def close() -> None:
    """End what ``run`` has started."""
    if _server.cache_info().currsize:
        _server().close()
        _server.cache_clear()
