"""Connecting, and what is said where that fails: the same words in every command and service."""

import re
from asyncio import CancelledError
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import clear_frames

import psycopg

from userscope.errors import ConfigurationError, InvalidURL, Unavailable
from userscope.postgres.url import EMBEDDED, ConnectionURL

_PASSING = re.compile(
    r"starting up|shutting down|shut down|recovery|accepting|too many|max\w*[ _](?:client|conn|reach)\w*"
    r"|slots are reserved|limit|try again|time(?:d )?out|(?:can(?:not|'t)|could ?n[o']t) (?:connect|fork|open|create)"
    r"|server_login_retry|connection (?:failed|closed|lost)|terminat|crash|no more connections|unavailable"
    r"|out of memory",
    re.IGNORECASE,
)
"""What a server or a pooler says where waiting may help; whatever else it refuses a login with is a mistake."""
_MALFORMED = re.compile(
    r"invalid [\w \"]*(?:value|port number|option|integer)|could not match \d+|is not supported|not compiled in"
    r"|missing \""
)
_REFUSED_ENCRYPTION = re.compile(
    r"(?:SSL|TLS) (?:is )?required|connection is insecure|certificate verify failed|root certificate file"
    r"|does not match host name|channel binding"
)

_ENCRYPTION = re.compile(r"no encryption|(?:SSL|TLS) (?:is )?required")
_COMPARE = "Compare its parameters with libpq's, in PostgreSQL's documentation."


_TCP = {"keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3", "tcp_user_timeout": "30000"}
"""When the kernel gives up a connection whose other end is gone: after a minute idle, half a minute after sending.

Its own answer is hours. It knows nothing of a server that hangs behind a pooler that lives: see
``connection/base.py``."""


def conninfo(url: ConnectionURL, **params: str) -> str:
    """Return libpq's connection string; with a name for pg_stat_activity, and an end to waiting.

    ``params`` go before the URL's, such as a password that was had just now.
    """
    defaults = _TCP | {"application_name": "userscope", "connect_timeout": str(url.connect_timeout)}
    return url.with_defaults(**defaults).conninfo(**params, client_encoding="utf8")


def connect(url: ConnectionURL, *, autocommit: bool = False) -> psycopg.Connection:
    """Connect as whoever ``url`` names. Raises ConfigurationError or Unavailable, and waits no longer than ``url``."""
    with worded(url):
        return psycopg.connect(conninfo(url), autocommit=autocommit)


@contextmanager
def worded(url: ConnectionURL) -> Iterator[None]:
    """Raise ConfigurationError or Unavailable where connecting to ``url`` in this block fails."""
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate is not None and not isinstance(error, psycopg.OperationalError):
            raise
        # The driver's frames hold the password in their variables, where tools that report errors look.
        error.__cause__ = error.__context__ = None
        if isinstance(error, psycopg.ProgrammingError):  # libpq's words may quote the URL
            raise InvalidURL(url.variable, "it is malformed", _COMPARE) from None
        raise _in_words(url, str(error).strip()) from error.with_traceback(None)
    except UnicodeError as error:  # from Python's own look-up of names
        error.__cause__ = error.__context__ = None
        cure = "Write a name, an address, or the absolute path of the folder that holds a socket."
        raise InvalidURL(url.variable, "its host is no name of a host", cure) from error.with_traceback(None)
    except (CancelledError, KeyboardInterrupt) as error:
        # They hold the socket as well: until they are collected, the server waits for somebody to log in.
        clear_frames(error.__traceback__)
        raise


def _in_words(url: ConnectionURL, said: str) -> ConfigurationError | Unavailable:
    if "definition of service" in said or "service file" in said:
        return ConfigurationError(
            "the service that PGSERVICE names cannot be read",
            detail=f"libpq said: {said.splitlines()[0].rpartition('connection is bad: ')[2].rstrip('.')}.",
            hint="Unset PGSERVICE: a URL takes nothing from it, but libpq insists on reading it.",
        )
    if (wrong := _MALFORMED.search(said)) and "FATAL:" not in said:
        rest = said[wrong.start() :].splitlines()[0].rstrip(".")
        return InvalidURL(url.variable, rest, _COMPARE)
    attempts = said.split("\n- host: ")[1:] or [said]
    detail = f"{_reason(attempts[-1])}. The URL is {url}."
    whose = "the embedded server's URL" if url.variable == EMBEDDED else url.variable
    # Of several hosts one may refuse and another be starting up: that is no mistake of the configuration.
    if url.variable == EMBEDDED and "password authentication failed" in said:
        # It made the password itself: what is missing is the login.
        return ConfigurationError("the database has not been migrated yet", hint='Run "userscope migrate" first.')
    if all("FATAL:" in attempt and not _PASSING.search(_reason(attempt)) for attempt in attempts):
        return ConfigurationError(
            "PostgreSQL refused the login",
            detail=f"It said: {detail}",
            hint=f"Compare the user, the password, the host and the database of {whose} with the server's"
            + (", and its sslmode: a server may ask for encryption." if _ENCRYPTION.search(said) else "."),
        )
    if "does not support SSL" in said:
        return ConfigurationError(
            "the server has no TLS, and the URL asks for it",
            detail=f"libpq said: {detail}",
            hint="Where nobody else is on the road, as in one Docker network, write sslmode=disable; anywhere else "
            "give the server a certificate.",
        )
    if _REFUSED_ENCRYPTION.search(said):
        return ConfigurationError(
            "the connection cannot be encrypted as the URL asks",
            detail=f"libpq said: {detail}",
            hint="Write sslmode=require for a server that asks for encryption. verify-full judges its certificate as "
            "well, by sslrootcert=system or the file of the authority that signed it, and by the host that it names.",
        )
    if "timeout expired" in said or "nothing was heard" in said:
        return Unavailable(
            f'the server at "{url.host}" does not answer',
            detail=f"It was waited for {url.connect_timeout} seconds. The URL is {url}.",
            hint=f"Is {whose} right, and does a firewall let connections through? DATABASE_POOL_TIMEOUT says how long "
            "to wait.",
        )
    if url.variable == EMBEDDED:
        return Unavailable("the embedded server cannot be reached", hint='Run "userscope up".')
    return Unavailable(
        "the server cannot be reached",
        detail=f"libpq said: {detail}",
        hint=f"Is a PostgreSQL server running there, and is {url.variable} right?",
    )


def _reason(attempt: str) -> str:
    """Return what a server or libpq gives as the reason, without what every attempt begins with."""
    reason = attempt.rpartition("FATAL:")[2].rpartition("failed: ")[2].strip() or "no reason was given"
    return reason.splitlines()[0].rstrip(".")
