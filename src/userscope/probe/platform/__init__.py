"""A platform's stand-in, on which a project's migrations are tried without the platform itself."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from userscope.errors import AuditError
from userscope.local.throwaway import throwaway
from userscope.login import Login
from userscope.postgres import programs
from userscope.postgres.connect import connect
from userscope.postgres.url import ConnectionURL

_FAILED = re.compile(r"ERROR:  (.*)$", re.MULTILINE)


@contextmanager
def migrated(folder: Path) -> Iterator[tuple[ConnectionURL, tuple[str, ...]]]:
    """Run every ``*.sql`` of a folder, by name, in a server that lasts until the end of the block.

    Yield the superuser's URL, and which statements failed, by file: the rest of each file goes on. Raises AuditError
    where there is no such file.
    """
    scripts = sorted(folder.glob("*.sql"))
    if not scripts:
        raise AuditError(
            f'"{folder}" holds no migrations', hint="Name the folder of *.sql files, such as supabase/migrations."
        )
    with throwaway(settings={"max_connections": "50"}) as server:
        url = server.url(Login.ADMIN)
        with connect(url.on("postgres"), autocommit=True) as connection:
            connection.execute("create database migrated template template0 encoding 'UTF8'")
        there = url.on("migrated")
        with as_file(files(__package__) / "supabase.sql") as platform:
            _run(there, platform)
        yield there, tuple(f"{script.name}: {said}" for script in scripts for said in _run(there, script))


def _run(url: ConnectionURL, script: Path) -> list[str]:
    """Run a script to its end, whatever fails in it; return what failed."""
    psql: list[str | Path] = [programs.find("psql", url), "--no-psqlrc", "--quiet", "--output", os.devnull]
    with programs.environment(url) as environment:
        done = subprocess.run(psql, env=environment, input=script.read_bytes(), capture_output=True, check=False)
    return list(dict.fromkeys(_FAILED.findall(done.stderr.decode(errors="replace"))))
