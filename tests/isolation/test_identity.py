"""Whom a transaction acts for: app.set_user_id, app.current_user_key, and the seals between them."""

import hashlib
import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from uuid import UUID

import psycopg
import pytest

from tests.isolation.world import Connection, World

KEY = bytes(range(32))


def seal(user: UUID | str, *, key: bytes = KEY, key_id: str = "k1", expiry: int | None = None) -> str:
    """Make a seal as the documentation says, by Python's own HMAC."""
    expiry = int(time.time()) + 60 if expiry is None else expiry
    return f"{key_id}.{expiry}.{hmac.digest(key, f'{user}.{expiry}'.encode(), hashlib.sha256).hex()}"


@pytest.fixture
def keys(world: World) -> Iterator[World]:
    """A world with one active key, where a seal is not required yet; left as it was."""
    block = KEY.ljust(64, b"\0")
    world.admin.execute(
        "insert into app_private.seal_keys (id, inner_pad, outer_pad) values ('k1', %s, %s)",
        [bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)],
    )
    yield world
    world.admin.execute("delete from app_private.seal_keys")
    world.admin.execute("update app_private.sealing set required = false")


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
        for life in (2, 6):  # the second, where the machine stood still until the first had expired
            short = seal(alice, expiry=int(time.time()) + life)
            with suppress(REFUSED), keys.acting_as(alice, short) as connection:
                connection.execute(
                    "select pg_sleep(greatest(0, %s - extract(epoch from clock_timestamp())))",
                    [int(short.split(".")[1]) + 1.1],
                )
                assert current(connection) == alice
                break
        else:
            pytest.fail("a transaction ended with its seal")
        with pytest.raises(REFUSED, match="has expired"):
            seen(keys, alice, short)


def test_a_lost_row_closes(keys: World) -> None:
    """Without its row in app_private.sealing no unsealed identity counts, and seals are said to be required."""
    alice, _ = keys.users
    keys.admin.execute("delete from app_private.sealing")
    try:
        with pytest.raises(REFUSED, match="cannot be read"):
            seen(keys, alice)
        assert keys.service.execute("select app.seal_required()").fetchone() == (True,)
    finally:
        keys.admin.execute("insert into app_private.sealing (required) values (false)")
    assert seen(keys, alice) == keys.titles(alice) != set()


def test_lost_keys_close(keys: World) -> None:
    """Without any key nothing falls open: what is sealed is refused, and so is what is not."""
    alice, _ = keys.users
    with required(keys):
        keys.admin.execute("delete from app_private.seal_keys")
        for text in (seal(alice), ""):
            with pytest.raises(REFUSED):
                seen(keys, alice, text)


@pytest.mark.parametrize("login", ["service", "auth"])
def test_seal_required(keys: World, login: str) -> None:
    """Either role can ask whether seals are required, and reads neither the answer's table nor a key."""
    connection: Connection = getattr(keys, login)
    assert connection.execute("select app.seal_required()").fetchone() == (False,)
    with required(keys):
        assert connection.execute("select app.seal_required()").fetchone() == (True,)
    for table in ("seal_keys", "sealing"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for schema app_private"):
            connection.execute(f"select * from app_private.{table}")


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


@pytest.mark.parametrize("table", ["seal_keys", "sealing"])
def test_private_tables(world: World, table: str) -> None:
    """Row security hides keys from pg_read_all_data, and is not forced: their owner must read them."""
    flags = world.admin.execute(
        f"select relrowsecurity, relforcerowsecurity from pg_class where oid = 'app_private.{table}'::regclass"
    ).fetchone()
    assert flags == (True, False)


@pytest.mark.parametrize(
    ("columns", "values", "error"),
    [
        ("id, inner_pad, outer_pad", "'', p, p", "seal_keys_id_check"),
        ("id, inner_pad, outer_pad", "'a.b', p, p", "seal_keys_id_check"),
        ("id, inner_pad, outer_pad", "repeat('a', 33), p, p", "seal_keys_id_check"),
        ("id, inner_pad, outer_pad", "'k2', ''::bytea, p", "seal_keys_inner_pad_check"),
        ("id, inner_pad, outer_pad", "'k2', p, p || p", "seal_keys_outer_pad_check"),
        ("id, inner_pad, outer_pad", "'k1', p, p", "seal_keys_pkey"),
        ("id, outer_pad", "'k2', p", '"inner_pad"'),
        ("id, inner_pad", "'k2', p", '"outer_pad"'),
        ("id, inner_pad, outer_pad, created_at", "'k2', p, p, null", '"created_at"'),
    ],
)
def test_keys_are_well_formed(keys: World, columns: str, values: str, error: str) -> None:
    """A key has an id that fits into a seal and two pads of a block each; an id names one key."""
    with pytest.raises(psycopg.IntegrityError, match=error):
        keys.admin.execute(
            f"insert into app_private.seal_keys ({columns}) "
            f"select {values} from (select decode(repeat('36', 64), 'hex') as p) as pad"
        )


def test_a_new_key(keys: World) -> None:
    """A key is active from when it is made."""
    found = keys.admin.execute("select id, created_at <= now(), retired_at from app_private.seal_keys").fetchall()
    assert found == [("k1", True, None)]


def test_one_row_of_sealing(world: World) -> None:
    """There is one row that says whether seals are required, and it says it."""
    for values, error in (
        ("(one_row, required) values (true, true)", "sealing_pkey"),
        ("(required) values (true)", "sealing_pkey"),
        ("(one_row, required) values (false, true)", "sealing_one_row_check"),
    ):
        with pytest.raises(psycopg.IntegrityError, match=error):
            world.admin.execute(f"insert into app_private.sealing {values}")
    with pytest.raises(psycopg.errors.NotNullViolation, match='"required"'):
        world.admin.execute("update app_private.sealing set required = null")
    assert world.admin.execute("select required from app_private.sealing").fetchall() == [(False,)]
