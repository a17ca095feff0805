"""Seals by Python's own HMAC, and what a service sees with one."""

import hashlib
import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg

from tests.isolation.world import World

KEY = bytes(range(32))


def seal(user: UUID | str, *, key: bytes = KEY, key_id: str = "k1", expiry: int | None = None) -> str:
    """Make a seal as the documentation says, by Python's own HMAC."""
    expiry = int(time.time()) + 60 if expiry is None else expiry
    return f"{key_id}.{expiry}.{hmac.digest(key, f'{user}.{expiry}'.encode(), hashlib.sha256).hex()}"


@contextmanager
def required(world: World) -> Iterator[None]:
    world.admin.execute("update app_private.sealing set required = true")
    yield
    world.admin.execute("update app_private.sealing set required = false")


def seen(world: World, user: object, seal_text: str = "") -> set[str]:
    """The titles that a service sees in a transaction that acts for ``user``."""
    with world.acting_as(user, seal_text) as connection:
        return {row[0] for row in connection.execute("select title from app.todos")}


REFUSED = psycopg.errors.InvalidAuthorizationSpecification
