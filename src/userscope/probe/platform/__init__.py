"""A platform's stand-in, on which a project's migrations are tried without the platform itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from userscope.errors import AuditError
from userscope.local.throwaway import throwaway
from userscope.login import Login
from userscope.mutation.scratch import load
from userscope.postgres.connect import connect
from userscope.postgres.sql import named
from userscope.postgres.url import ConnectionURL


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
        load(there, named(__package__, "supabase.sql").encode(), forgiving=True)
        failed = [(script, said) for script in scripts for said in load(there, script.read_bytes(), forgiving=True)]
        yield there, tuple(f"{script.name}: {said}" for script, said in failed)
