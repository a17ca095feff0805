"""What Citus opens to everybody is closed on every node, beside controls in which it is open and attacks succeed."""

import re
import secrets

import pytest

from tests.citus.arena import NODES, Arena, run_quietly, told
from tests.clusters import Connection

CALLABLE = """
select array_agg(distinct proname::text order by proname::text) from pg_proc
  join pg_depend on classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e'
  join pg_extension on refclassid = 'pg_extension'::regclass and refobjid = pg_extension.oid
 where extname ~ '^citus' and has_function_privilege('app_service', pg_proc.oid, 'execute')
   and prorettype <> all ('{trigger, event_trigger, internal, cstring, table_am_handler}'::regtype[])
   and not exists (select from pg_operator where oprcode = pg_proc.oid)
   and not exists (select from pg_type where pg_proc.oid in (typinput, typoutput, typreceive, typsend))
"""
READABLE = """
select count(*) from pg_class
  join pg_depend on classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e'
  join pg_extension on refclassid = 'pg_extension'::regclass and refobjid = pg_extension.oid
 where extname ~ '^citus' and relkind in ('r', 'v') and has_table_privilege('app_service', pg_class.oid, 'select')
"""


@pytest.mark.parametrize("node", NODES)
def test_functions(arena: Arena, node: int) -> None:
    """Of Citus' functions and tables a service may use what Citus calls in its name, and no other."""
    with arena.distributed.all[node].superuser_connection() as superuser:
        ((found,),) = superuser.execute(CALLABLE).fetchall()
        assert set(found) == {
            "assign_distributed_transaction_id",
            "citus_table_is_visible",
            "lock_shard_metadata",
            "lock_shard_resources",
            "relation_is_a_known_shard",
            "worker_last_saved_explain_analyze",
            "worker_save_query_explain_analyze",
        }
        assert superuser.execute(READABLE).fetchall() == [(0,)]


AS_IT_COMES = (
    "run_command_on_workers(text, bool)",
    "master_get_active_worker_nodes()",
    "master_run_on_worker(text[], int[], text[], bool)",
    "get_current_transaction_id()",
    "read_intermediate_result(text, citus_copy_format)",
    "citus_internal.delete_placement_metadata(bigint)",
)
"""Functions that are everybody's where the lockdown is not."""
OPEN = (
    *(f"grant execute on function {name} to public" for name in AS_IT_COMES),
    "grant select on pg_dist_placement to public",
)


def test_as_it_comes(arena: Arena) -> None:
    """The controls below open what Citus itself does, and no more."""
    plain = arena.distributed.nodes.database(workers=0)
    try:
        asked = [f"has_function_privilege('public', '{name}', 'execute')" for name in AS_IT_COMES]
        asked.append("has_table_privilege('public', 'pg_dist_placement', 'select')")
        assert plain.execute(f"select {', '.join(asked)}") == [(True,) * len(asked)]
    finally:
        plain.drop()


def refused(answer: str) -> bool:
    """Whether it was for want of a right."""
    return bool(re.search("permission denied for (function|view|table|schema)", answer))


@pytest.mark.parametrize("node", NODES)
def test_a_command_on_workers(arena: Arena, node: int) -> None:
    """Nobody has workers do what outlives the rollback; where the lockdown is not, Alice has."""
    left = "select count(*) from pg_largeobject_metadata where lomowner = 'app_service'::regrole"
    command = "select run_command_on_workers('select lo_create(0)')"

    def leave() -> str:
        with arena.acting(node, arena.alice) as connection:
            return told(connection, command)

    assert refused(leave())
    before = arena.distributed.everywhere(left)
    with arena.opened(*OPEN):
        leave()
        after = arena.distributed.everywhere(left)
        for database in arena.distributed.workers:
            run_quietly(database, "select lo_unlink(oid) from pg_largeobject_metadata")
    assert (before, after) == ([0, 0, 0], [0, 1, 1])


KEEP = "with made as (insert into app.todos (title) values ('bobs secret') returning title) select * from made"
SIZE = "alter database {database} reset citus.max_intermediate_result_size"


def kept(arena: Arena, node: int, bob: Connection) -> tuple[str, str]:
    """What Alice is told of what Bob's transaction keeps: by Citus' function, and by its COPY."""
    with arena.distributed.all[node].superuser_connection() as superuser:
        asked = "select transaction_number from get_all_active_transactions() where process_id = %s"
        ((number,),) = superuser.execute(asked, [bob.info.backend_pid]).fetchall()
    become = f"select assign_distributed_transaction_id({node}, {number}, now())"

    def told_by(statement: str) -> str:
        tries = (("savepoint s", statement.format(plan), "rollback to savepoint s") for plan in range(1, 6))
        with arena.acting(node, arena.alice) as connection:
            return told(connection, "commit", "begin", become, *(each for one in tries for each in one))

    read = "select * from read_intermediate_result('{}_1', 'binary') as kept (title text)"
    return told_by(read), told_by('copy "{}_1" to stdout with (format result)')


@pytest.mark.parametrize("node", NODES)
def test_anothers_intermediate_result(arena: Arena, node: int) -> None:
    """What a statement of Bob's keeps while he is at work, Alice reads where the lockdown is not; else none keeps any.

    The function that reads it is closed; COPY asks for no right.
    """
    with arena.opened(SIZE), arena.acting(node, arena.bob) as bob:
        with arena.opened(*OPEN):
            assert "bobs secret" in told(bob, KEEP)
            assert ["bobs secret" in each for each in kept(arena, node, bob)] == [True, True]
        by_function, _ = kept(arena, node, bob)  # he is at work still
        assert (refused(by_function), "bobs secret" in by_function) == (True, False)
    with arena.acting(node, arena.bob) as bob:
        assert "the intermediate result size exceeds" in told(bob, "savepoint s", KEEP, "rollback to savepoint s")
        assert ["bobs secret" in each for each in kept(arena, node, bob)] == [False, False]


@pytest.mark.parametrize("node", NODES)
def test_metadata(arena: Arena, node: int) -> None:
    """Where shards are nobody reads or changes, whoever they call themselves; where the lockdown is not, Alice does."""
    gpid = f"set application_name = 'citus_internal gpid={secrets.randbelow(10**9) + 10**10}'"
    placed = "select * from pg_dist_placement order by placementid"

    def everywhere() -> list[list[tuple[object, ...]]]:
        found = []
        for database in arena.distributed.all:
            with database.superuser_connection() as superuser:
                found.append(superuser.execute(placed.encode()).fetchall())
        return found

    before = everywhere()
    gone = before[node][0]

    def change() -> tuple[str, str]:
        with arena.acting(node, arena.alice) as connection:
            shown = told(connection, "savepoint s", placed, "rollback to savepoint s")
            return shown, told(
                connection, gpid, f"select citus_internal.delete_placement_metadata({gone[0]})", "commit"
            )

    assert [refused(answer) for answer in change()] == [True, True]
    assert everywhere() == before
    with arena.opened(*OPEN):
        shown, _ = change()
        after = everywhere()
        with arena.distributed.all[node].superuser_connection() as superuser:
            superuser.execute("insert into pg_dist_placement values (%s, %s, %s, %s, %s)", gone)
    assert {str(str(row[0]).encode()) for row in before[node]} <= set(shown.split("\n"))
    assert after == [rows[1:] if at == node else rows for at, rows in enumerate(before)]
    assert everywhere() == before
