"""Debian's PgBouncer in transaction mode, in front of a test's database."""

import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg.conninfo import make_conninfo

from tests.clusters import Database, unavailable
from tests.folders import make_folder
from userscope.local.account import Account
from userscope.postgres.url import ConnectionURL

_PORT = "6432"
_CONFIG = """
[databases]
{name} = host={host} port={port} dbname={name}
[pgbouncer]
listen_addr =
listen_port = {own_port}
unix_socket_dir = {folder}
auth_type = scram-sha-256
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 500
server_login_retry = 0.2
admin_users = pgbouncer_admin
logfile = {folder}/pgbouncer.log
"""
# It ends with the test's process, also where that was killed.
_RUN = '"$1" "$2" >/dev/null 2>&1 & read -r _; kill -KILL "$!" 2>/dev/null; wait'


class PgBouncer:
    """One PgBouncer with ``size`` connections to the server for each login."""

    def __init__(self, database: Database, size: int) -> None:
        self._make_folder()
        self.database = database
        server = database.url("service").params
        config = _CONFIG.format(
            name=database.name, host=server["host"], port=server["port"], own_port=_PORT, folder=self.folder, size=size
        )
        self.admin_password = secrets.token_urlsafe()
        users = [(database.url(who).user, database.url(who).params["password"]) for who in ("service", "auth")]
        users.append(("pgbouncer_admin", self.admin_password))
        self._write("pgbouncer.ini", config)
        self._write("users.txt", "".join(f'"{name}" "{password}"\n' for name, password in users))

    def _make_folder(self) -> None:
        program = shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        if program is None:
            unavailable("PgBouncer is not installed (Debian: apt-get install pgbouncer)")
        self.program = program
        self.folder = make_folder()
        self.account = Account.serving()
        self._process: subprocess.Popen[bytes] | None = None
        self.account.give(self.folder)

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.touch(0o600)
        path.write_text(text, encoding="utf-8")
        self.account.give(path)

    @property
    def url(self) -> ConnectionURL:
        """How a service connects through it."""
        return ConnectionURL("DATABASE_URL", {**self.database.url("service").params, **self._own})

    @property
    def _own(self) -> dict[str, str]:
        return {"host": str(self.folder), "port": _PORT}

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        other = {"user": self.account.uid, "group": self.account.gid, "extra_groups": []} if self.account.other else {}
        process = self._process = subprocess.Popen(  # type: ignore[call-overload]  # user and group as a dict
            ["/bin/sh", "-c", _RUN, "sh", self.program, self.folder / "pgbouncer.ini"],
            stdin=subprocess.PIPE, cwd="/", **other,
        )  # fmt: skip
        while True:
            try:
                psycopg.connect(self.url.conninfo(), autocommit=True).close()
            except psycopg.OperationalError:
                assert process.poll() is None, self.log
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """Kill it, whoever is connected."""
        if self._process:
            self._process.communicate()
            self._process = None
            (self.folder / f".s.PGSQL.{_PORT}").unlink(missing_ok=True)

    def shut_down(self) -> None:
        """Let it end by itself: transactions come to their end, everybody is disconnected then."""
        with suppress(psycopg.OperationalError), psycopg.connect(self._console, autocommit=True) as console:
            console.execute("pause")
            console.execute("shutdown")
        self.stop()

    @property
    def _console(self) -> str:
        login = {"user": "pgbouncer_admin", "password": self.admin_password, "dbname": "pgbouncer"}
        return make_conninfo(**self._own, **login)

    def restart(self) -> None:
        """Kill it and start it anew: every client is disconnected."""
        self.stop()
        self.start()

    @property
    def log(self) -> str:
        """What it wrote."""
        path = self.folder / "pgbouncer.log"
        return path.read_text(encoding="utf-8") if path.exists() else "PgBouncer wrote no log"

    def server_connections(self) -> int:
        """How many connections it holds to the server now."""
        with self.database.superuser_connection() as superuser:
            row = superuser.execute(
                "select count(*) from pg_stat_activity where datname = %s and usename = %s",
                [self.database.name, self.database.url("service").user],
            ).fetchone()
        assert row
        return int(row[0])


@contextmanager
def pgbouncer(database: Database, *, size: int) -> Iterator[PgBouncer]:
    """Run one until the end of the block."""
    made = PgBouncer(database, size)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(made.folder)
