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


def add_key(world: World, key_id: str, key: bytes = KEY) -> None:
    """Make a key active, as HMAC's two padded blocks."""
    block = key.ljust(64, b"\0")
    world.admin.execute(
        "insert into app_private.seal_keys (id, inner_pad, outer_pad) values (%s, %s, %s)",
        [key_id, bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)],
    )


def helper(world: World) -> bytes:
    """The statement that makes app.current_user_key() what it is now."""
    row = world.admin.execute("select pg_get_functiondef('app.current_user_key()'::regprocedure)").fetchone()
    assert row
    text: str = row[0]
    return text.encode()


@contextmanager
def as_found(world: World) -> Iterator[None]:
    """Whatever becomes of sealing meanwhile: its trigger writes the helper anew, and would mend one that was wrong."""
    found = helper(world)
    yield
    world.admin.execute("update app_private.sealing set required = false")
    world.admin.execute(found)


@contextmanager
def required(world: World) -> Iterator[None]:
    with as_found(world):
        world.admin.execute("update app_private.sealing set required = true")
        yield


def seen(world: World, user: object, seal_text: str = "") -> set[str]:
    """The titles that a service sees in a transaction that acts for ``user``."""
    with world.acting_as(user, seal_text) as connection:
        return {row[0] for row in connection.execute("select title from app.todos")}


REFUSED = psycopg.errors.InvalidAuthorizationSpecification
