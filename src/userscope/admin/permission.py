"""What is said where the admin's login may not do what it is there for."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from userscope.errors import NotPermitted


@contextmanager
def permitted(connection: psycopg.Connection, what: str, hint: str) -> Iterator[None]:
    """Raise NotPermitted where PostgreSQL refuses something in this block; ``what`` the role may not, in words."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotPermitted(
            f'role "{connection.info.user}" may not {what}',
            detail=f"PostgreSQL said: {error.diag.message_primary}.",
            hint=hint,
            sqlstate=error.sqlstate,
        ) from error
