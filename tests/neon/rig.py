"""A Neon project as far as a client can tell: its hosts, TLS, roles and pooler, and a compute that falls asleep.

Its hosts have the names that Neon gives. They are found by ``hostaddr``, on addresses of this machine's loopback, so
that the standard port is free and every rule for remote hosts holds.
"""

import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Timer

import psycopg
from psycopg import sql

from tests.clusters import MAIN, Connection, short_folder
from tests.neon import certificates
from tests.pooling.pgbouncer import PgBouncer
from tests.versions import CHOSEN, binaries
from userscope.local.account import Account
from userscope.local.binaries import Binaries
from userscope.local.directory import ServerDirectory
from userscope.local.server import Server
from userscope.local.throwaway import throwaway
from userscope.postgres.url import ConnectionURL

DOMAIN = "eu-central-1.aws.neon.tech"
ENDPOINT = "ep-quiet-lake-123456"
OWNER = "neondb_owner"
VERSION = MAIN if CHOSEN else 17
"""What Neon gives new projects, or what PG chooses."""

_RULES = """\
local   all         all               scram-sha-256
local   replication postgres          scram-sha-256
hostssl all         all  127.0.0.0/8  scram-sha-256
"""
_ROLES = """
create role neon_superuser nologin createdb createrole bypassrls replication;
grant pg_read_all_data, pg_write_all_data, pg_monitor to neon_superuser;
grant create on database postgres to neon_superuser;
"""
_POOLER = """
[databases]
* = host={host} port=5432
[pgbouncer]
listen_addr = {address}
listen_port = 5432
unix_socket_dir =
client_tls_sslmode = require
client_tls_key_file = {certificates}/server.key
client_tls_cert_file = {certificates}/server.crt
auth_type = scram-sha-256
auth_file = {folder}/users.txt
auth_user = postgres
auth_query = select usename, passwd from pg_catalog.pg_shadow where usename = $1
pool_mode = transaction
default_pool_size = 4
max_client_conn = 500
server_login_retry = 0.2
logfile = {folder}/pgbouncer.log
"""


class Pooler(PgBouncer):
    """PgBouncer as Neon runs it beside a compute: it asks the server who may log in, so new roles are known at once."""

    def __init__(self, project: "Project") -> None:
        self._make_folder()
        self.project = project
        admin = project.server.url("admin").params
        self._write(
            "pgbouncer.ini",
            _POOLER.format(
                host=admin["host"], address=project.pooled_address, certificates=project.folder, folder=self.folder
            ),
        )
        self._write("users.txt", f'"postgres" "{admin["password"]}"\n')

    @property
    def url(self) -> ConnectionURL:
        """How the owner connects through it."""
        return self.project.url(OWNER, pooled=True)


class Project:
    """One branch of a Neon project, awake."""

    def __init__(self, server: Server, folder: Path, programs: Binaries, addresses: tuple[str, str]) -> None:
        self.server, self.folder, self.programs = server, folder, programs
        self.address, self.pooled_address = addresses
        self.passwords: dict[str, str] = {}
        self.pooler = Pooler(self)
        self._waking: Timer | None = None

    def superuser(self, dbname: str = "neondb") -> Connection:
        """Connect as Neon itself does, whom no customer can be; the caller closes it."""
        return psycopg.connect(self.server.url("admin").conninfo(dbname=dbname), autocommit=True)

    def create_console_role(self, name: str) -> None:
        """Create a role as Neon's console, API and command line do."""
        self.passwords[name] = secrets.token_urlsafe()
        with self.superuser("postgres") as connection:
            connection.execute(
                sql.SQL(
                    "create role {} login password {} inherit createrole createdb bypassrls replication "
                    "in role neon_superuser"
                ).format(sql.Identifier(name), sql.Literal(self.passwords[name]))
            )

    def text(self, user: str, *, pooled: bool = False, dbname: str = "neondb", query: str = "") -> str:
        """The URL as the console shows it, but for ``query``, and found on this machine.

        Neon offers channel binding on both hosts; PgBouncer cannot, so it is asked for only where there is none.
        """
        host = f"{ENDPOINT}{'-pooler' if pooled else ''}.{DOMAIN}"
        address = self.pooled_address if pooled else self.address
        query = query or ("sslmode=require" if pooled else "sslmode=require&channel_binding=require")
        return f"postgresql://{user}:{self.passwords[user]}@{host}/{dbname}?{query}&hostaddr={address}"

    def url(self, user: str, *, pooled: bool = False, dbname: str = "neondb", query: str = "") -> ConnectionURL:
        """The same, parsed."""
        return ConnectionURL.parse(self.text(user, pooled=pooled, dbname=dbname, query=query), "DATABASE_URL")

    def connect(self, user: str = OWNER, *, dbname: str = "neondb") -> Connection:
        """Connect over the unpooled host; the caller closes it."""
        return psycopg.connect(self.url(user, dbname=dbname).conninfo(), autocommit=True)

    def adopt(self, text: str) -> str:
        """Remember the password in a URL that "create-login" printed; return the login's name."""
        url = ConnectionURL.parse(text, "printed")
        self.passwords[url.user] = url.params["password"]
        return url.user

    def sleep(self, seconds: float | None = None) -> None:
        """Drop every connection and refuse new ones, for ``seconds`` or until ``wake``."""
        self.pooler.stop()
        self.server.stop()
        if seconds is not None:
            self._waking = Timer(seconds, self.wake)
            self._waking.start()

    def wake(self) -> None:
        """Take connections again."""
        self.server.start()
        self.pooler.start()

    def awake(self) -> None:
        """Wait until it has woken up by itself."""
        if self._waking:
            self._waking.join()

    @contextmanager
    def branch(self) -> Iterator["Project"]:
        """Make a branch: a copy of everything there is, roles and passwords included, with hosts of its own."""
        with _project(self.folder, self.programs) as made:
            made.server.stop()
            place = ServerDirectory.find(made.server.home)
            assert place is not None
            shutil.rmtree(place.data)
            parent = self.server.url("admin").params
            conninfo = f"host={parent['host']} user=postgres password={parent['password']}"
            copy = place.private_folder("copy")
            done = place.account.run(
                self.programs / "pg_basebackup", "--checkpoint=fast", "--no-sync", "-D", copy, "-d", conninfo
            )
            assert done.returncode == 0, done.stdout
            copy.rename(place.data)
            state = ServerDirectory.find(self.server.home)
            assert state is not None
            place.write_state(replace(place.read_state(), logins=state.read_state().logins))
            made.pooler._write("users.txt", f'"postgres" "{parent["password"]}"\n')
            made.passwords |= self.passwords
            made.wake()
            yield made


@contextmanager
def project() -> Iterator[Project]:
    """Make an empty project: the database neondb, and its owner, as the console shows them."""
    programs = binaries(VERSION, tls=True)
    with ExitStack() as stack:
        folder = stack.enter_context(short_folder())
        certificates.make(folder, DOMAIN)
        key = folder / "server.key"
        key.chmod(0o600)
        Account.serving().give(key)
        rules = folder / "pg_hba.conf"
        rules.write_text(_RULES, encoding="utf-8")
        made = stack.enter_context(_project(folder, programs))
        with made.superuser("postgres") as connection:
            connection.execute(_ROLES)
        made.create_console_role(OWNER)
        with made.superuser("postgres") as connection:
            connection.execute(f"create database neondb owner {OWNER} template template0 encoding 'UTF8'".encode())
            connection.execute("grant all on database neondb to neon_superuser")
        made.pooler.start()
        yield made


@contextmanager
def _project(folder: Path, programs: Binaries) -> Iterator[Project]:
    address, pooled = (".".join(["127", *(str(1 + secrets.randbelow(254)) for _ in range(3))]) for _ in range(2))
    with throwaway(binaries=programs, settings=_settings(folder, address)) as server:
        made = Project(server, folder, programs, (address, pooled))
        try:
            yield made
        finally:
            made.awake()
            made.pooler.stop()
            shutil.rmtree(made.pooler.folder)


def _settings(folder: Path, address: str) -> Mapping[str, str]:
    return {
        "listen_addresses": address,
        "hba_file": str(folder / "pg_hba.conf"),
        "ssl": "on",
        "ssl_cert_file": str(folder / "server.crt"),
        "ssl_key_file": str(folder / "server.key"),
        "log_statement": "ddl",
    }
