"""Servers to copy into: one of this command's own for the time of the block, or one that was made for it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg import sql

from userscope.errors import AuditError, ConfigurationError
from userscope.local.throwaway import throwaway
from userscope.login import Login
from userscope.postgres.clones import databases, drop
from userscope.postgres.connect import connect
from userscope.postgres.url import ConnectionURL

_THERE = {"postgres", "template0", "template1"}
_OPTION = "--server"


def given(text: str) -> ConnectionURL:
    """Read what names a server: a URL, or the environment variable that holds one. Raises ConfigurationError."""
    if "://" in text:
        return ConnectionURL.parse(text, _OPTION)
    if text not in os.environ:
        raise ConfigurationError(
            f'{_OPTION}: there is no environment variable "{text}"',
            hint="Give a URL, or the name of a variable that holds one: what is on a command line others can read.",
        )
    return ConnectionURL.parse(os.environ[text], text)


@contextmanager
def server(own: ConnectionURL | None) -> Iterator[ConnectionURL]:
    """Yield the superuser's URL of a server: a new one, or else ``own``, which is left empty.

    Raises AuditError where it is not a superuser's, or anybody else has something there: roles are changed on it.
    """
    if own is None:
        with throwaway(settings={"max_connections": "100"}) as made:
            yield made.url(Login.ADMIN)
        return
    own = own.on("postgres")
    with connect(own, autocommit=True) as connection:
        if connection.info.parameter_status("is_superuser") != "on":
            raise AuditError(
                f'role "{connection.info.user}" of {_OPTION} is no superuser',
                hint="Give a server of your own, such as a container's, with its superuser.",
            )
        others = sorted({*_roles(connection), *databases(own)} - {connection.info.user, *_THERE})
    if others:
        raise AuditError(
            f"the server of {_OPTION} is in use",
            detail=f"It has {', '.join(others[:6])}{' and more' if len(others) > 6 else ''}.",
            hint="Give a server that was made for this: roles are made and changed there, and databases dropped.",
        )
    try:
        yield own
    finally:
        _leave(own)


def _roles(connection: psycopg.Connection) -> list[str]:
    return [name for (name,) in connection.execute("select rolname from pg_roles where rolname !~ '^pg_'")]


def _leave(own: ConnectionURL) -> None:
    """Drop what was made; a role at a time, since one may have granted what another has."""
    for name in set(databases(own)) - _THERE:
        drop(own, name)
    with connect(own, autocommit=True) as connection:
        connection.execute("alter role current_user reset all")
        left = set(_roles(connection)) - {connection.info.user}
        for _ in range(len(left)):
            for name in sorted(left):
                with suppress(psycopg.errors.DependentObjectsStillExist):
                    connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))
                    left.discard(name)
