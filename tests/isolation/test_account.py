"""One's own account as a service reaches it: whole, and through a view of a role that the policies bind."""

import psycopg
import pytest
from psycopg.errors import SerializationFailure

from tests.isolation.test_grants import rows
from tests.isolation.world import World

USERS = {"id", "name", "email", "email_verified", "image", "username", "display_username", "created_at", "updated_at"}


def test_whole(world: World) -> None:
    """A user sees every column of their account, and of nobody else's a single one."""
    columns = ", ".join(sorted(USERS))
    alice, bob = world.users
    query = f"select t::text from (select {columns} from app.users where id = any (%s)) as t"
    (stored,) = world.admin.execute(query, [[alice]]).fetchall()
    assert world.admin.execute(query, [[alice, bob]]).rowcount == 2
    with world.acting_as(alice) as connection:
        assert connection.execute(f"select t::text from (select {columns} from app.account) as t").fetchall() == [
            stored
        ]


def test_update(world: World) -> None:
    """Name and image can be changed, the answer is the new row, and the time of it is the database's."""
    alice, bob = world.users
    before = world.snapshot()
    with world.acting_as(alice) as connection:
        row = connection.execute(
            "update app.account set name = 'Al', image = 'a.png' returning id, name, image, updated_at = now()"
        ).fetchone()
    assert row == (alice, "Al", "a.png", True)
    query = "select name, image, updated_at > created_at from app.users where id = %s"
    assert world.admin.execute(query, [alice]).fetchone() == ("Al", "a.png", True)
    after = world.snapshot()
    assert {row for row in after["users"] if row[0] == bob} == {row for row in before["users"] if row[0] == bob}
    with world.acting_as(alice) as connection:
        assert connection.execute("update app.account set image = null where name = 'Al' returning name").rowcount == 1
    assert world.admin.execute(query, [alice]).fetchone() == ("Al", None, True)


def meanwhile(world: World, change: str) -> None:
    """Have app.meanwhile() change Alice's row between what a statement reads and what it writes; then act for her."""
    alice = world.users[0]
    world.admin.execute(
        "create function app.meanwhile() returns text language plpgsql volatile security definer as "
        f"$$ begin {change} where id = '{alice}'; return 'mine'; end $$"
    )
    world.admin.execute("alter table app.users disable trigger touch")  # nothing but this changes
    world.admin.execute("select app.set_user_id(%s)", [str(alice)])
    world.admin.execute("set local role app_user")


@pytest.mark.parametrize("column", sorted(USERS - {"id"}))
def test_what_was_seen_counts(world: World, column: str) -> None:
    """An update that saw another row than the one that stands is refused, whichever column differs: try it again."""
    value = {"email": "new@x.io", "email_verified": "true", "username": "new_name"}.get(column, "2001-01-01")
    with world.admin.transaction(force_rollback=True):
        meanwhile(world, f"update app.users set {column} = '{value}'")
        with pytest.raises(SerializationFailure, match="concurrent update"), world.admin.transaction():
            world.admin.execute("update app.account set name = app.meanwhile()")
        # The control: where nothing happens meanwhile, it goes.
        assert world.admin.execute("update app.account set name = 'mine'").rowcount == 1


def test_deleted_meanwhile(world: World) -> None:
    """An account that is gone when it is written is no row, as of a table."""
    with world.admin.transaction(force_rollback=True):
        meanwhile(world, "delete from app.users")
        assert world.admin.execute("update app.account set name = app.meanwhile()").rowcount == 0


def test_for_update(world: World) -> None:
    """An account can be locked while it is read."""
    alice, _ = world.users
    with world.acting_as(alice) as connection:
        assert connection.execute("select name from app.account for update").fetchall() == [("alice",)]
        with pytest.raises(psycopg.errors.LockNotAvailable), world.auth.transaction():
            world.auth.execute("select from app.users where id = %s for update nowait", [alice])


def test_built_as_a_fence(world: World) -> None:
    """What the view keeps by: a barrier, offset 0, and an owner whom the policies bind; likewise what writes for it."""
    query = "select pg_get_userbyid(relowner), reloptions, pg_get_viewdef(oid) from pg_class where relname = 'account'"
    ((owner, options, definition),) = world.admin.execute(query).fetchall()
    assert (owner, options) == ("app_gate", ["security_barrier=true"])
    assert definition.split() == [*definition.split("FROM")[0].split(), "FROM", "app.users", "OFFSET", "0;"]
    assert rows(
        world,
        "select oid::regprocedure::text, pg_get_userbyid(proowner), prosecdef, proconfig from pg_proc "
        "where pronamespace = 'app_fenced'::regnamespace",
    ) == {
        ("app_fenced.write_account()", "app_gate", True, ("search_path=pg_catalog, pg_temp",)),
        ("app_fenced.keep_owner()", "app_roster", True, ("search_path=pg_catalog, pg_temp",)),
    }
