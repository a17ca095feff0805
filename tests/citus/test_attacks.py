"""Attacks that Citus makes possible, on every node that they can begin on, beside controls in which they succeed."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest

from tests.citus.rig import Distributed
from tests.clusters import Connection, Database
from tests.connection.conftest import make_user
from userscope.admin import nodes, seals
from userscope.identity import SealKey

WORKER = "select nodename from citus_shards where shardid = get_shard_id_for_distribution_column('app.todos', %s::uuid)"
NODES = [0, 1, 2]
"""Where an attacker enters: the coordinator, and each worker."""


@dataclass
class Arena:
    """A sealed database, with Alice, who attacks, and Bob, who has what she is after; Carol is on Alice's worker."""

    distributed: Distributed
    key: SealKey
    alice: UUID
    bob: UUID
    carol: UUID

    @contextmanager
    def acting(self, node: int, user: UUID) -> Iterator[Connection]:
        """A connection of the service's login to a node, in a transaction that acts for somebody."""
        with psycopg.connect(self.distributed.all[node].url("service").conninfo(), autocommit=True) as connection:
            connection.execute("begin")
            connection.execute("select app.set_user_id(%s, %s)", [str(user), self.key.seal(str(user))])
            yield connection
            connection.execute("rollback")

    @contextmanager
    def opened(self, *statements: str) -> Iterator[None]:
        """Every node without a part of what keeps it closed; mended at the end."""
        try:
            for database in self.distributed.all:
                run_quietly(database, *statements)
            yield
        finally:
            assert [node.problems for node in nodes.apply(self.distributed.coordinator.url())] == [()] * 3

    @contextmanager
    def unsealed(self) -> Iterator[None]:
        """The database without seals."""
        seals.relax(self.distributed.coordinator.url())
        try:
            yield
        finally:
            seals.require(self.distributed.coordinator.url())


def run_quietly(database: Database, *statements: str) -> None:
    """Run something on one node alone, as its superuser."""
    with database.superuser_connection() as superuser:
        superuser.execute("set citus.enable_ddl_propagation = off")
        for statement in statements:
            superuser.execute(statement.format(database=database.name).encode())


@pytest.fixture(scope="module")
def arena(distributed: Distributed) -> Arena:
    """One for the module; Bob's rows lie on another worker than Alice's."""
    assert [node.problems for node in nodes.apply(distributed.coordinator.url())] == [()] * 3
    alice = make_user(distributed.coordinator, ("alices",))
    bob = carol = None
    while bob is None or carol is None:
        person = make_user(distributed.coordinator)
        if distributed.execute(WORKER, [alice]) == distributed.execute(WORKER, [person]):
            carol = person
        else:
            bob = person
    todo = "insert into app.todos (owner_id, title) values (%s, %s), (%s, %s)"
    distributed.execute(todo, [bob, "bobs secret", carol, "carols"])
    admin = distributed.coordinator.url()
    key, _ = seals.add(admin)
    seals.require(admin)
    return Arena(distributed, key, alice, bob, carol)


def told(connection: Connection, *statements: str) -> str:
    """Everything that statements answer, errors too; each is sent by itself, as the simple protocol does."""
    answers: list[str] = []
    for statement in statements:
        result = connection.pgconn.exec_(statement.encode())
        answers.append((result.error_message or b"").decode())
        answers += [
            str(result.get_value(row, column)) for row in range(result.ntuples) for column in range(result.nfields)
        ]
    return "\n".join(answers)


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
        here = arena.distributed.all[node].cluster.url("admin").params["host"]
        assert found == (arena.distributed.execute(WORKER, [arena.bob]) == [(here,)])


def drop_cached(arena: Arena) -> None:
    """End what nodes keep of connections to each other: settings of a database are for new ones."""
    for database in arena.distributed.all:
        with database.superuser_connection() as superuser:
            superuser.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
                "and backend_type = 'client backend' and pid <> pg_backend_pid()"
            )


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


STEALING = {
    "run a command on workers": "select run_command_on_workers('select 1')",
    "another's intermediate result": "select * from read_intermediate_result('1_1', 'binary') as found (title text)",
    "where shards are": "select * from pg_dist_placement",
    "metadata, as one of Citus' own": "select citus_internal.delete_placement_metadata(1)",
}


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("stealing", STEALING)
def test_closed(arena: Arena, node: int, stealing: str) -> None:
    """What reads and changes behind Citus' back is refused, also to who calls themselves one of Citus' own sessions.

    With PUBLIC's rights as Citus grants them, it is not for a lack of rights that it fails, if it does.
    """
    gpid = f"set application_name = 'citus_internal gpid={secrets.randbelow(10**9) + 10**10}'"
    refused = re.compile("permission denied for (function|view|table|schema)")

    def answer() -> str:
        with arena.acting(node, arena.alice) as connection:
            return told(connection, gpid, f"savepoint s; {STEALING[stealing]}")

    assert refused.search(answer())
    granted = (
        "grant execute on all functions in schema pg_catalog to public",
        "grant select on pg_dist_placement to public",
        "grant usage on schema citus_internal to public",
        "grant execute on all functions in schema citus_internal to public",
    )
    with arena.opened(*granted):
        assert not refused.search(answer())


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
