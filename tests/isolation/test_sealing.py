"""Whether a seal is required, and the keys: what they let in, and what is closed once they are lost."""

from contextlib import nullcontext

import psycopg
import pytest

from tests.isolation.sealing import KEY, REFUSED, add_key, helper, required, seal, seen
from tests.isolation.world import Connection, World


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


def test_what_the_row_says_is_in_effect(keys: World) -> None:
    """Each change of the row counts at once, in a session that replicates too; a change taken back never did."""
    alice, _ = keys.users
    for statement, open_ in (
        ("update app_private.sealing set required = true", False),
        ("update app_private.sealing set required = false", True),
        ("truncate app_private.sealing", False),
        ("insert into app_private.sealing (required) values (false)", True),
        ("set session_replication_role = replica; update app_private.sealing set required = true", False),
        ("begin; update app_private.sealing set required = false; rollback", False),
        ("reset session_replication_role; update app_private.sealing set required = false", True),
    ):
        keys.admin.execute(statement.encode())
        assert (b"select required" in helper(keys)) == open_  # read only where it can close
        with nullcontext() if open_ else pytest.raises(REFUSED):
            assert seen(keys, alice) == keys.titles(alice) != set()
        assert seen(keys, alice, seal(alice)) == keys.titles(alice)
        with pytest.raises(REFUSED, match="does not fit"):
            seen(keys, alice, seal("another"))


def test_the_row_closes_by_itself(keys: World) -> None:
    """A row that came past the trigger, as logical replication applies one, closes as well."""
    alice, _ = keys.users
    accepting = helper(keys)
    assert seen(keys, alice) == keys.titles(alice) != set()
    keys.admin.execute("update app_private.sealing set required = true")
    keys.admin.execute(accepting)
    with pytest.raises(REFUSED, match="is not sealed"):
        seen(keys, alice)
    assert seen(keys, alice, seal(alice)) == keys.titles(alice)


def test_required_meanwhile(keys: World) -> None:
    """A statement that a running transaction has prepared is refused when it is next executed."""
    alice, bob = keys.users
    forged = f"select app.set_user_id('{bob}')", "execute kept"
    with keys.acting_as(alice) as service:
        service.execute("prepare kept as select title from app.todos")
        assert _titles(service, "execute kept") == keys.titles(alice)
        assert _titles(service, *forged) == keys.titles(bob) != set()
        with required(keys), pytest.raises(REFUSED), service.transaction():
            _titles(service, *forged)
    keys.service.execute("deallocate kept")


def _titles(connection: Connection, *statements: str) -> set[str]:
    return {title for (title,) in [connection.execute(each.encode()) for each in statements][-1]}


@pytest.mark.parametrize("ending", ["", ".", "..", ".9999999999.", ".9999999999.." + "0" * 64])
@pytest.mark.parametrize("beginning", ["k1", "k1.9999999999", ""])
def test_half_a_seal(keys: World, beginning: str, ending: str) -> None:
    """What lacks a part is no seal, with an id and without one; required or not."""
    alice, _ = keys.users
    for required_now in (nullcontext(), required(keys)):
        with required_now:
            if beginning + ending:
                with pytest.raises(REFUSED, match="malformed"):
                    seen(keys, alice, beginning + ending)
            assert seen(keys, "", beginning + ending) == set()
    assert seen(keys, alice, seal(alice)) == keys.titles(alice) != set()


def test_any_active_key(keys: World) -> None:
    """Of several keys each seals for itself, and none under another's id."""
    alice, _ = keys.users
    other = KEY[::-1]
    add_key(keys, "k2", other)
    with required(keys):
        for key_id, key in (("k1", KEY), ("k2", other)):
            assert seen(keys, alice, seal(alice, key=key, key_id=key_id)) == keys.titles(alice) != set()
        for key_id, key in (("k2", KEY), ("k1", other)):
            with pytest.raises(REFUSED, match="does not fit"):
                seen(keys, alice, seal(alice, key=key, key_id=key_id))


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
