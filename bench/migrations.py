"""50 changes deployed, verified and reverted: userscope beside Sqitch, command beside command."""

import compileall
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

import userscope
from bench.measuring import Figures, Times
from userscope.local.throwaway import throwaway
from userscope.migrations import runner
from userscope.migrations.projects import find
from userscope.postgres.url import ConnectionURL
from userscope.testing.proxy import Proxy

CHANGES = 50
DELAY = 0.01
"""Seconds in each direction: a round trip of 20 ms."""

STATEMENTS = 300_000
"""In one script."""

type Engine = Callable[[ConnectionURL], object]
type Kinds = dict[str, dict[str, Engine]]


def main(*, quick: bool = False) -> Figures:
    """Tell how many times faster than Sqitch each step is, on a socket and with a network."""
    figures = Figures()
    if shutil.which("sqitch") is None:
        print("sqitch is not installed (Debian: apt-get install sqitch libdbd-pg-perl)", file=sys.stderr)
        return figures
    compileall.compile_dir(Path(userscope.__file__).parent, quiet=1)  # as pip does where the package is installed
    with throwaway() as server, tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "trivial"
        _write(project, changes=CHANGES)
        engines = _kinds(project)
        databases = _databases(server.url("admin"))
        figures.take(_compare(engines, databases, rounds=1 if quick else 3), "0ms")
        with Proxy(server.url("admin"), delay=DELAY) as proxy:
            through = (ConnectionURL("", {**proxy.url.params, "dbname": url.params["dbname"]}) for url in databases)
            figures.take(_compare(engines, through, rounds=1), "20ms")
        long = Path(folder) / "long"
        _write(long, changes=1, statements=STATEMENTS // (100 if quick else 1))
        engines = {kind: {"deploy": steps["deploy"]} for kind, steps in _kinds(long).items()}
        figures.take(_compare(engines, databases, rounds=1), "long script")
    return figures


def _kinds(project: Path) -> Kinds:
    return {"sqitch": _sqitch(project), "userscope": _command(project), "in_python": _function(project)}


def _compare(kinds: Kinds, databases: Iterator[ConnectionURL], *, rounds: int) -> Figures:
    times: dict[str, dict[str, list[float]]] = {step: {kind: [] for kind in kinds} for step in kinds["sqitch"]}
    for turn in range(rounds):
        for kind, steps in sorted(kinds.items(), reverse=bool(turn % 2)):
            url = next(databases)
            for step, work in steps.items():
                began = time.perf_counter()
                work(url)
                times[step][kind].append(time.perf_counter() - began)
    figures = Figures()
    for step, found in times.items():
        figures.take(Times(found).figures(("sqitch", "userscope"), ("sqitch", "in_python")), step)
    return figures


def _sqitch(project: Path) -> dict[str, Engine]:
    def run(*words: str) -> Engine:
        def work(url: ConnectionURL) -> None:
            names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
            server = {variable: url.params[name] for variable, name in names.items()}
            command = ["sqitch", *words, "--target", f"db:pg:{url.params['dbname']}"]
            _run(command, project, {**os.environ, **server})

        return work

    deploy = ("deploy", "--verify")
    return {
        "deploy": run(*deploy),
        "nothing to deploy": run(*deploy),
        "verify": run("verify"),
        "revert": run("revert", "-y"),
    }


def _command(project: Path) -> dict[str, Engine]:
    def run(*words: str) -> Engine:
        def work(url: ConnectionURL) -> None:
            command = [sys.executable, "-m", "userscope", *words, "--project", str(project)]
            _run(command, project, {**os.environ, "ADMIN_DATABASE_URL": url.text()})

        return work

    return {
        "deploy": run("migrate"),
        "nothing to deploy": run("migrate"),
        "verify": run("verify"),
        "revert": run("revert", "--all", "--yes"),
    }


def _function(project: Path) -> dict[str, Engine]:
    from userscope.migrations import inspection

    projects = find([project])
    return {
        "deploy": lambda url: runner.migrate(url, projects),
        "nothing to deploy": lambda url: runner.migrate(url, projects),
        "verify": lambda url: inspection.verify(url, projects),
        "revert": lambda url: runner.revert(url, projects, to=None, confirm=lambda _: True),
    }


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


@contextmanager
def _autocommit(url: ConnectionURL) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url.conninfo(), autocommit=True) as connection:
        yield connection


def _databases(admin: ConnectionURL) -> Iterator[ConnectionURL]:
    """Empty databases, one after the other."""
    for number in count():
        name = f"bench_{number}"
        with _autocommit(admin) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield admin.on(name)


def _write(project: Path, *, changes: int, statements: int = 0) -> None:
    """Write a trivial project: each change makes a table, and puts rows into it by as many statements."""
    for kind in ("deploy", "revert", "verify"):
        (project / kind).mkdir(parents=True)
    lines = ["%project=trivial", ""]
    for number in range(changes):
        name = f"t{number}"
        lines.append(f"{name} 2026-01-01T00:00:00Z Ada <ada@example.com>")
        inserts = "".join(f"insert into public.{name} values ({each});\n" for each in range(statements))
        for kind, body in (
            ("deploy", f"begin;\ncreate table public.{name} (id integer primary key);\n{inserts}commit;\n"),
            ("revert", f"begin;\ndrop table public.{name};\ncommit;\n"),
            ("verify", f"begin;\nselect id from public.{name} where false;\nrollback;\n"),
        ):
            (project / kind / f"{name}.sql").write_text(body, encoding="utf-8")
    (project / "sqitch.plan").write_text("\n".join([*lines, ""]), encoding="utf-8")
    (project / "sqitch.conf").write_text("[core]\n\tengine = pg\n", encoding="utf-8")
