"""Connecting, and what is said where that fails: the same words in every command and service."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from userscope.errors import ConfigurationError, InvalidURL, Unavailable
from userscope.postgres.url import EMBEDDED, ConnectionURL

_REFUSED_LOGIN = re.compile(
    r"password authentication failed|no password supplied|role \".*\" does not exist|database \".*\" does not exist"
    r"|is not permitted to log in|no pg_hba.conf entry|permission denied for database"
    r"|SASL authentication failed|no such user"  # PgBouncer's words
)
_REFUSED_ENCRYPTION = re.compile(
    r"SSL required|connection is insecure|does not support SSL|certificate verify failed|root certificate file"
    r"|does not match host name|channel binding"
)


def connect(url: ConnectionURL, *, autocommit: bool = False) -> psycopg.Connection:
    """Connect as whoever ``url`` names. Raises ConfigurationError or Unavailable, and waits ten seconds at most."""
    named = url.with_defaults(connect_timeout="10", application_name="userscope")
    with worded(url):
        return psycopg.connect(named.conninfo(client_encoding="utf8"), autocommit=autocommit)


@contextmanager
def worded(url: ConnectionURL) -> Iterator[None]:
    """Raise ConfigurationError or Unavailable where connecting to ``url`` in this block fails."""
    try:
        yield
    except psycopg.OperationalError as error:
        # The driver's frames hold the password in their variables, where tools that report errors look.
        error.__cause__ = error.__context__ = None
        raise _in_words(url, str(error).strip()) from error.with_traceback(None)
    except UnicodeError as error:  # from Python's own look-up of names
        error.__cause__ = error.__context__ = None
        cure = "Write a name, an address, or the absolute path of the folder that holds a socket."
        raise InvalidURL(url.variable, "its host is no name of a host", cure) from error.with_traceback(None)


def _in_words(url: ConnectionURL, said: str) -> ConfigurationError | Unavailable:
    if "definition of service" in said or "service file" in said:
        return ConfigurationError(
            "the service that PGSERVICE names cannot be read",
            detail=f"libpq said: {said.splitlines()[0].rpartition('connection is bad: ')[2].rstrip('.')}.",
            hint="Unset PGSERVICE: a URL takes nothing from it, but libpq insists on reading it.",
        )
    attempts = said.split("\n- host: ")[1:] or [said]
    reason = attempts[-1].rpartition("FATAL:")[2].rpartition("failed: ")[2].strip() or "no reason was given"
    detail = f"{reason.splitlines()[0].rstrip('.')}. The URL is {url}."
    whose = "the embedded server's URL" if url.variable == EMBEDDED else url.variable
    # Of several hosts one may refuse and another be starting up: that is no mistake of the configuration.
    if all(_REFUSED_LOGIN.search(attempt) for attempt in attempts):
        return ConfigurationError(
            "PostgreSQL refused the login",
            detail=f"It said: {detail}",
            hint=f"Compare the user, the password, the host and the database of {whose} with the server's"
            + (", and its sslmode: a server may ask for encryption." if "no encryption" in said else "."),
        )
    if _REFUSED_ENCRYPTION.search(said):
        return ConfigurationError(
            "the connection cannot be encrypted as the URL asks",
            detail=f"libpq said: {detail}",
            hint="Write sslmode=require for a server that asks for encryption. verify-full judges its certificate as "
            "well, by sslrootcert=system or the file of the authority that signed it, and by the host that it names.",
        )
    if url.variable == EMBEDDED:
        return Unavailable("the embedded server cannot be reached", hint='Run "userscope up".')
    return Unavailable(
        "the server cannot be reached",
        detail=f"libpq said: {detail}",
        hint=f"Is a PostgreSQL server running there, and is {url.variable} right?",
    )
