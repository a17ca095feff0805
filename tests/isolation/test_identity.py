"""Whom a transaction acts for: app.set_user_id, app.current_user_key, and the seals between them."""

import time
from contextlib import nullcontext, suppress

import psycopg
import pytest

from tests.isolation.sealing import REFUSED, required, seal, seen
from tests.isolation.world import Connection, World


def test_local_to_the_transaction(world: World) -> None:
    """An identity ends with its transaction, by commit and by rollback; savepoints keep it."""
    alice, _ = world.users
    with world.acting_as(alice) as connection, connection.transaction():
        assert current(connection) == alice
    assert current(world.service) is None
    with pytest.raises(ZeroDivisionError), world.acting_as(alice) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero), connection.transaction():
            connection.execute("select 1 / 0")
        assert current(connection) == alice
        raise ZeroDivisionError
    assert current(world.service) is None
    assert world.service.execute("select current_setting('app.user_id', true)").fetchone() in [(None,), ("",)]


def current(connection: Connection) -> object:
    row = connection.execute("select app.current_user_id()").fetchone()
    assert row is not None
    return row[0]


def test_the_last_one_counts(world: World) -> None:
    """Two identities in one transaction: the later one acts, and the earlier one's rows are gone."""
    alice, bob = world.users
    with world.acting_as(alice) as connection:
        connection.execute("select app.set_user_id(%s)", [str(bob)])
        assert {row[0] for row in connection.execute("select title from app.todos")} == world.titles(bob)


def test_unsealed(keys: World) -> None:
    """While no seal is required an identity counts without one."""
    alice, _ = keys.users
    assert seen(keys, alice) == keys.titles(alice) != set()


def test_sealed(keys: World) -> None:
    """A right seal counts, required or not."""
    alice, _ = keys.users
    assert seen(keys, alice, seal(alice)) == keys.titles(alice) != set()
    with required(keys):
        assert seen(keys, alice, seal(alice)) == keys.titles(alice) != set()
        assert seen(keys, None) == seen(keys, "") == set()


def test_required(keys: World) -> None:
    """Where a seal is required an identity without one is refused."""
    alice, _ = keys.users
    with required(keys), pytest.raises(REFUSED, match="the identity is not sealed"):
        seen(keys, alice)


@pytest.mark.parametrize("must", [False, True])
@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("another user's", "does not fit"),
        ("another key's", "does not fit"),
        ("an unknown key's", "names no active key"),
        ("expired", "has expired"),
        ("with a later expiry", "does not fit"),
        ("truncated", "is malformed"),
        ("extended", "is malformed"),
        ("in capitals", "is malformed"),
        ("a word", "is malformed"),
        ("with a line end", "is malformed"),
    ],
)
def test_wrong_seals(keys: World, what: str, message: str, must: bool) -> None:
    """A wrong seal is refused, also while none is required; nothing of it stands in the error."""
    alice, bob = keys.users
    good = seal(alice)
    key_id, expiry, mac = good.split(".")
    wrong = {
        "another user's": seal(bob),
        "another key's": seal(alice, key=b"x" * 32),
        "an unknown key's": seal(alice, key_id="k2"),
        "expired": seal(alice, expiry=int(time.time()) - 2),
        "with a later expiry": f"{key_id}.{int(expiry) + 1000}.{mac}",
        "truncated": good[:-1],
        "extended": good + "0",
        "in capitals": f"{key_id}.{expiry}.{mac.upper()}",
        "a word": "seal",
        "with a line end": good + "\n",
    }[what]
    context = required(keys) if must else nullcontext()
    with context, pytest.raises(REFUSED, match=f"the identity's seal {message}") as raised:
        seen(keys, alice, wrong)
    assert mac not in str(raised.value)


def test_retired_key(keys: World) -> None:
    """A retired key seals nothing; another active one goes on."""
    alice, _ = keys.users
    keys.admin.execute("insert into app_private.seal_keys select 'k2', inner_pad, outer_pad from app_private.seal_keys")
    keys.admin.execute("update app_private.seal_keys set retired_at = now() where id = 'k1'")
    with pytest.raises(REFUSED, match="names no active key"):
        seen(keys, alice, seal(alice))
    assert seen(keys, alice, seal(alice, key_id="k2")) == keys.titles(alice) != set()


def test_outlives_its_seal(keys: World) -> None:
    """A transaction that has begun goes on when its seal expires; a new one cannot begin with it."""
    alice, _ = keys.users
    with required(keys):
        for life in (1, 2, 6):  # a later one, where the first had expired when it came to be used
            short = seal(alice, expiry=int(time.time()) + life)
            with suppress(REFUSED), keys.acting_as(alice, short) as connection:
                connection.execute(
                    "select pg_sleep(greatest(0, %s - extract(epoch from clock_timestamp())))",
                    [int(short.split(".")[1]) + 0.1],
                )
                assert current(connection) == alice
                break
        else:
            pytest.fail("a transaction ended with its seal")
        with pytest.raises(REFUSED, match="has expired"):
            seen(keys, alice, short)


def test_functions_are_as_declared(world: World) -> None:
    """The helpers run as their owner with a pinned search_path, are stable, and hold no backslash."""
    found = world.admin.execute(
        "select proname, prosecdef, provolatile, proparallel, proconfig, coalesce(prosrc, '') ~ '[\\\\]' "
        "from pg_proc where pronamespace = 'app'::regnamespace order by proname"
    ).fetchall()
    pinned = ["search_path=pg_catalog, pg_temp"]
    assert found == [
        ("colleagues", True, "s", "s", pinned, False),
        ("current_organization_id", True, "s", "s", pinned, False),
        ("current_user_id", False, "s", "s", None, False),
        ("current_user_key", True, "s", "s", pinned, False),
        ("my_invitations", True, "s", "s", pinned, False),
        ("seal_required", True, "s", "s", pinned, False),
        ("set_organization_id", False, "v", "u", None, False),
        ("set_user_id", False, "v", "u", None, False),
        ("touch", False, "v", "u", pinned, False),
    ]
