"""Attacks that Citus makes possible, on every node that they can begin on, beside controls in which they succeed."""

import pytest

from tests.citus.arena import NODES, Arena, told

FORGERIES = {
    "set_config": "select set_config('app.user_id', '{bob}', true)",
    "SET": "set app.user_id = '{bob}'",
    "SET LOCAL": "set local app.user_id = '{bob}'",
    "both, with one's own seal": "set local app.user_id = '{bob}'; set local app.user_seal = '{seal}'",
    "set_user_id": "select app.set_user_id('{bob}')",
    "set_user_id, with one's own seal": "select app.set_user_id('{bob}', '{seal}')",
    "no seal": "set local app.user_id = '{bob}'; set local app.user_seal = ''",
    "in a DO block": "do $$ begin execute 'set local app.user_id = ''{bob}'''; end $$",
    "a transaction of one's own": "commit; begin; set local app.user_id = '{bob}'",
    "in the statement itself": "select title from app.todos where set_config('app.user_id', '{bob}', true) is not null",
}
HARVEST = (
    "select title from app.todos",
    "select title from app.todos where owner_id = '{bob}'",
    "select email from app.account",
)


@pytest.mark.parametrize("node", NODES)
def test_forged(arena: Arena, node: int) -> None:
    """Another's id, by ten ways and from every node, shows no row of theirs; without seals it does from each."""

    def reached() -> set[str]:
        found = set()
        for name, forgery in FORGERIES.items():
            with arena.acting(node, arena.alice) as connection:
                facts = {"bob": arena.bob, "seal": arena.key.seal(str(arena.alice))}
                told(connection, "savepoint one")
                forge = ("rollback to savepoint one", forgery.format(**facts))
                after = [told(connection, *forge, statement.format(**facts)) for statement in ("", *HARVEST)]
                if "bobs secret" in "".join(after) or f"{arena.bob}@" in "".join(after):
                    found.add(name)
        return found

    assert reached() == set()
    with arena.unsealed():
        assert {"no seal", "set_user_id"} <= reached()
    with arena.acting(node, arena.bob) as connection:
        assert "bobs secret" in told(connection, "select title from app.todos")


@pytest.mark.parametrize("node", NODES)
def test_others_statements(arena: Arena, node: int) -> None:
    """While Bob is at work, no session of the same login sees his seal, his id or a row, on any node.

    Nor does it in what Citus says of all nodes' sessions. With track_activities on it does, on his worker.
    """
    asked = (
        "select query from pg_stat_activity",
        "select query from citus_stat_activity",
        "select query from citus_dist_stat_activity",
        "select result from run_command_on_workers('select string_agg(query, '' '') from pg_stat_activity')",
    )

    def seen() -> bool:
        with arena.acting(0, arena.bob) as victim:
            victim.execute("select title from app.todos")
            victim.execute("update app.todos set title = title where title = %s", ["bobs secret"])
            with arena.acting(node, arena.alice) as connection:
                answers = "\n".join(told(connection, f"savepoint s; {one}", "rollback to savepoint s") for one in asked)
            victim.execute("rollback")
        return str(arena.bob) in answers or "bobs secret" in answers

    assert not seen()
    if node:
        with arena.opened("alter database {database} set track_activities = on"):
            drop_cached(arena)
            found = seen()
        drop_cached(arena)
        assert found == (arena.distributed.all[node] is arena.distributed.shard_of(arena.bob)[1])


def drop_cached(arena: Arena) -> None:
    """End what nodes keep of connections to each other: settings of a database are for new ones."""
    for database in arena.distributed.all:
        with database.superuser_connection() as superuser:
            superuser.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
                "and backend_type = 'client backend' and pid <> pg_backend_pid()"
            )


POISON = {
    "one string of two statements": "set local app.x = 'y'; set timezone = 'Pacific/Auckland'",
    "in a DO block": "do $$ begin execute 'set local app.x = ''y''; set timezone = ''Pacific/Auckland'''; end $$",
}
ON_SHARD = "select current_setting('timezone') || title from app.todos"
"""What a worker's session has set, told by the row that is read there."""


@pytest.mark.parametrize("poison", POISON)
def test_poisoned(arena: Arena, poison: str) -> None:
    """What Alice leaves in workers' sessions, Carol does not meet, who has her connection next, and it wiped.

    Without the RESET ALL that comes with an identity she would.
    """

    def zone(*identity: str) -> str:
        with arena.acting(0, arena.alice) as connection:
            told(
                connection, "select count(*) from app.todos", POISON[poison], "select count(*) from app.todos", "commit"
            )
            return told(connection, "discard all", "begin", *identity, ON_SHARD)

    carol, seal = arena.carol, arena.key.seal(str(arena.carol))
    clean = zone(f"select app.set_user_id('{carol}', '{seal}')")
    poisoned = zone(f"set local app.user_id = '{carol}'; set local app.user_seal = '{seal}'")
    assert ("carols" in clean, "Auckland" in clean) == (True, False)
    assert ("carols" in poisoned, "Auckland" in poisoned) == (True, True)
