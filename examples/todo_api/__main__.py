"""Run all of it on this machine: PostgreSQL, Better Auth and the service with its page. Ctrl-C stops what it started.

``make example``, or ``python -m examples.todo_api``; PORT (8000) is where the page is served. Where DATABASE_URL names
a database, ``userscope migrate`` and ``userscope migrate --project examples/todo_api/db`` have been run on it by then.
"""

import hashlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from examples.todo_api.app import create_app
from examples.todo_api.better_auth import AuthServer, install
from userscope import Settings
from userscope.errors import ConfigurationError, MissingSetting, UserscopeError
from userscope.local.server import Server
from userscope.postgres.url import ConnectionURL

_HOST = "127.0.0.1"
_AUDIENCE = "todo-api"
_TEAMS = Path(__file__).with_name("db")
"""The table of a team's list: a pair of projects of the example's own."""


def main() -> None:
    """Run it until it is told to stop; exit code 2 where it cannot."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        with _listening() as listener:
            install(_tell)
            settings = Settings()
            with _postgresql(settings):
                _serve(settings, listener)
    except UserscopeError as error:
        print(f"ERROR:  {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        _tell("Stopped.")


def _stop(*_: object) -> None:
    # As Ctrl-C does: every "with" ends what it began.
    raise KeyboardInterrupt


def _tell(sentence: str) -> None:
    print(sentence, flush=True)


@contextmanager
def _listening() -> Iterator[socket.socket]:
    """Take the page's port, before anything else is begun. Raises ConfigurationError."""
    port = os.environ.get("PORT", "8000")
    try:
        listener = socket.create_server((_HOST, int(port)))
    except (OSError, OverflowError, ValueError) as error:
        reason = os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else "it is no port"
        raise ConfigurationError(
            f'port "{port}" cannot be used: {reason}', hint="Choose another: make example PORT=8001"
        ) from None
    with listener:
        yield listener


@contextmanager
def _postgresql(settings: Settings) -> Iterator[None]:
    """Have a migrated database: the embedded server's, left running if it ran, or the one that the URLs name."""
    if not settings.embedded:
        yield
        return
    server = Server(settings.home)
    ran = server.running
    try:
        for more in ([], ["--project", str(_TEAMS)]):
            if subprocess.run([sys.executable, "-m", "userscope", "migrate", *more], check=False).returncode != 0:
                raise ConfigurationError("the database cannot be migrated", hint="See what is said above.")
        yield
    finally:
        if not ran:
            server.stop()


def _serve(settings: Settings, listener: socket.socket) -> None:
    origin = f"http://{_HOST}:{listener.getsockname()[1]}"
    auth = settings.url("auth")
    variables = {
        "AUTH_DATABASE_URL": auth.text(),
        "AUTH_ISSUER": origin,
        "AUTH_AUDIENCE": _AUDIENCE,
        "BETTER_AUTH_SECRET": os.environ.get("BETTER_AUTH_SECRET") or _secret(auth),
        "BETTER_AUTH_TRUSTED_ORIGINS": origin,
    }
    with AuthServer(variables, mail=_show_mail, log=sys.stderr) as auth_server:
        tokens = {
            "auth_jwks_url": f"{auth_server.url}/api/auth/jwks",
            "auth_issuer": origin,
            "auth_audience": _AUDIENCE,
            "auth_organization_claim": "organization_id",
        }
        app = create_app(Settings(**tokens), auth_url=auth_server.url, teams=True)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        _tell(f"Better Auth:  {auth_server.url}\nThe page:     {origin}  (Ctrl-C stops it)")
        server.run(sockets=[listener])
        if not server.started:
            raise ConfigurationError("the service cannot start", hint="See what is said above.")


def _secret(auth: ConnectionURL) -> str:
    """Return what Better Auth encrypts its keys with, made of the login's password. Raises MissingSetting."""
    # Those keys lie in the database: their secret must stay as long as they do, and the password does.
    if password := auth.params.get("password"):
        return hashlib.sha256(f"Better Auth:{password}".encode()).hexdigest()
    raise MissingSetting(
        "BETTER_AUTH_SECRET",
        f"what keys are encrypted with, and {auth.variable} has no password to make it of",
        'Set it in the environment, for good, to what "openssl rand -base64 32" prints.',
    )


def _show_mail(mail: dict[str, str]) -> None:
    _tell(f"A mail to {mail['to']}: {mail['subject']}: {mail['url']}")


if __name__ == "__main__":
    main()
