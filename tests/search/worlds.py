"""Two databases that differ in what others own, and nothing else that could be told."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from tests.attacks.arena import add_fence, seal
from tests.attacks.world import KEY, add_key
from tests.clusters import Connection, Database
from tests.search.people import ALICE, CANARY, DIFFERENCES, Content, columns, content

WATCHED = {"app.users": "id", "app.todos": "owner_id", "app_fenced.secrets": "owner_id"}
_SHARED = {
    "app.lists": ("app.lists", "app.list_members"),
    "app.boards": ("app.boards", "app.organizations", "app.members", "app.invitations"),
}
"""What else differs, where the first of them is there."""
_ROWS = "(owner_id, id, title, description, completed, due_at, created_at, updated_at)"
_PEOPLE = "(id, name, email, username, created_at, updated_at)"
# Whoever changes a row of somebody else's is told so, in a word that no answer may hold.
_SENTINEL = f"""
create function app_private.sentinel() returns trigger language plpgsql security definer as $$
begin
    if '{ALICE}' <> any (array[to_jsonb(old) ->> tg_argv[0], to_jsonb(new) ->> tg_argv[0]]) then
        raise exception '{CANARY}: % of another''s row', tg_op;
    end if;
    return null;
end $$
"""

type Change = Callable[[Connection], None]


def prepare(database: Database) -> None:
    """Make a migrated database the ground that worlds are copied from: sealed, with the fenced twin, without anybody."""
    add_fence(database)
    with database.superuser_connection() as superuser:
        add_key(superuser, "k1", KEY)
        superuser.execute("update app_private.sealing set required = true")
        superuser.execute(_SENTINEL.encode())


@dataclass
class World:
    """One of two: a database, and Alice's connection to it."""

    database: Database

    @cached_property
    def alice(self) -> Connection:
        """A connection of the service's login; a probe says itself whom it acts for."""
        return self.database.connect("service")

    def drop(self) -> None:
        """Drop it."""
        self.alice.close()
        self.database.drop()


@contextmanager
def pair(base: Database, difference: str, others: int, change: Change | None = None) -> Iterator[tuple[World, World]]:
    """Two worlds which differ so, with ``others`` rows of other people's; ``change``: a fault to be found."""
    first = content(others)
    worlds = [_world(base, each, change) for each in (first, DIFFERENCES[difference](first))]
    try:
        yield worlds[0], worlds[1]
    finally:
        for world in worlds:
            world.drop()


def _world(base: Database, holds: Content, change: Change | None) -> World:
    database = base.cluster.clone(base.name, owner=base.owner)
    with database.superuser_connection() as superuser:
        _fill(superuser, holds)
        if change:
            change(superuser)
        for table, owner in WATCHED.items():
            superuser.execute(
                f"create trigger sentinel after insert or update or delete on {table} for each row "
                f"execute function app_private.sentinel('{owner}')".encode()
            )
        for table in _tables(superuser):
            superuser.execute(f"alter table {table} set (autovacuum_enabled = off)".encode())
        settle(superuser)
    return World(database)


def _fill(superuser: Connection, holds: Content) -> None:
    with superuser.transaction(), superuser.cursor() as cursor:
        for table, names, records in (
            ("app.users", _PEOPLE, holds.people),
            ("app.todos", _ROWS, holds.rows),
            ("app_fenced.secrets", _ROWS, holds.rows),
        ):
            with cursor.copy(f"copy {table} {names} from stdin".encode()) as copy:
                for record in records:
                    copy.write_row(columns(record))


def _tables(superuser: Connection) -> list[str]:
    here = superuser.execute(
        "select name from unnest(%s::text[]) as name where to_regclass(name) is not null", [[*_SHARED]]
    )
    return [*WATCHED, *(table for (first,) in here for table in _SHARED[first])]


def settle(superuser: Connection) -> None:
    """Bring the tables to the state that vacuuming leads to: what earlier probes left behind is no difference."""
    unsettled = "select from pg_class where oid = %s::regclass and relallvisible < relpages"
    for table in _tables(superuser):
        superuser.execute(f"reindex table {table}".encode())
        while True:
            superuser.execute(f"vacuum (freeze, analyze) {table}".encode())
            if superuser.execute(unsettled, [table]).fetchone() is None:
                break
            time.sleep(0.02)  # somebody's snapshot of a moment ago is still held


def alice_seal() -> str:
    """A seal that is good for the whole of a run."""
    return seal(ALICE, life=86_400)
