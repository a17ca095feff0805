"""Roads to another's rows by ordinary statements, on every node; each is a road: for who may, it leads there."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest

from tests.citus.arena import NODES, Arena, told
from tests.clusters import Connection

MANUAL = "set local citus.enable_manual_changes_to_shards = on"
INTERNAL = "set local application_name = 'citus_internal gpid=10000000001'"
READS: dict[str, tuple[str, ...]] = {
    "a self-join across owners": (
        "select b.title from app.todos as b left join app.todos as a on a.owner_id <> b.owner_id",
    ),
    "a join that repartitions": (
        "set local citus.enable_repartition_joins = on",
        "select b.title from app.todos as a join app.todos as b on a.title = b.title",
    ),
    "a materialized CTE": ("with t as materialized (select title from app.todos offset 0) select * from t",),
    "a cursor": ("declare c cursor for select title from app.todos", "fetch all from c"),
    "COPY of a query": ("copy (select title from app.todos) to stdout",),
    "a query in a string": ("select query_to_xml('select title from app.todos', true, false, '')",),
    "the shard": ("select title from {shard}",),
    "the shard, shown": ("set local citus.override_table_visibility = off", "select title from {shard}"),
    "the shard, as Citus": (INTERNAL, "select title from {shard}"),
    "COPY of the shard": ("copy {shard} (title) to stdout",),
    "the shard in a string": ("select table_to_xml('{shard}', true, false, '')",),
    "what EXPLAIN ANALYZE runs": (
        "select * from worker_save_query_explain_analyze('select title from {shard}', '{{}}') as t (title text)",
    ),
}
"""What shows Bob his own row, on some node at least."""
ROLES: dict[str, tuple[str, ...]] = {
    "another role": ("set local role postgres", "select title from app.todos"),
    "another session": ("set session authorization postgres", "select title from app.todos"),
    "the identity provider's role": ("set local role app_auth", "select email from app.users"),
    "without row security": ("set local row_security = off", "select title from app.todos"),
}
"""What only a superuser may."""
WRITES: dict[str, tuple[str, ...]] = {
    "everything": ("update app.todos set title = 'taken'",),
    "his by name": ("update app.todos set title = 'taken' where owner_id = '{bob}'",),
    "a join": ("update app.todos as a set title = 'taken' from app.users as b where a.owner_id = b.id",),
    "a deletion": ("delete from app.todos where owner_id = '{bob}'",),
    "a row in his name": ("insert into app.todos (owner_id, title) values ('{bob}', 'planted')",),
    "an upsert on his key": (
        "insert into app.todos (owner_id, id, title) values ('{bob}', '{todo}', 'x') "
        "on conflict (owner_id, id) do update set title = 'taken'",
    ),
    "COPY into the table": ("copy app.todos (owner_id, title) from stdin",),
    "truncation": ("truncate app.todos",),
    "the policy": ("alter table app.todos disable row level security", "update app.todos set title = 'taken'"),
    "his account": ("update app.account set name = 'taken'", "update app.users set name = 'taken'"),
    "the shard": (MANUAL, "update {shard} set title = 'taken'"),
    "the shard, as Citus": (INTERNAL, "update {shard} set title = 'taken'"),
    "the shard's rows": (MANUAL, "delete from {shard}"),
    "a row in the shard": (MANUAL, "insert into {shard} (owner_id, title) values ('{bob}', 'planted')"),
    "COPY into the shard": (MANUAL, "copy {shard} (owner_id, title) from stdin"),
    "the shard's truncation": (MANUAL, "truncate {shard}"),
    "what EXPLAIN ANALYZE runs": (
        MANUAL,
        "select * from worker_save_query_explain_analyze('delete from {shard}', '{{}}') as t (title text)",
    ),
}
"""What changes Bob's rows, if a superuser says it, on some node at least."""
HIS = """
select t::text from app.todos as t where owner_id = %(bob)s
 union all select u::text from app.users as u where id = %(bob)s order by 1
"""


@pytest.fixture(scope="module")
def facts(arena: Arena) -> dict[str, str]:
    ((todo,),) = arena.distributed.execute("select id from app.todos where owner_id = %s", [arena.bob])
    shard = arena.distributed.shard_of(arena.bob)[0]
    return {"bob": str(arena.bob), "todo": str(todo), "shard": shard}


def go(connection: Connection, road: tuple[str, ...], facts: dict[str, str]) -> str:
    """Say each statement; one that is refused leaves what went before it."""
    stdin = f"{facts['bob']}\tplanted\n".encode()
    answers = []
    for statement in road:
        told(connection, "savepoint s")
        answers.append(told(connection, statement.format(**facts), stdin=stdin))
        if connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.INERROR:
            told(connection, "rollback to savepoint s")
    return "\n".join(answers)


@contextmanager
def superuser(arena: Arena, node: int) -> Iterator[Connection]:
    with arena.distributed.all[node].superuser_connection() as connection:
        connection.execute("begin; set local citus.multi_shard_modify_mode = 'sequential'")
        yield connection
        connection.execute("rollback")


@pytest.mark.parametrize("road", READS)
def test_reading(arena: Arena, facts: dict[str, str], road: str) -> None:
    """By it Bob reads his todo, from some node; Alice does not, from any."""
    seen = []
    for node in NODES:
        with arena.acting(node, arena.alice) as connection:
            assert "bobs secret" not in go(connection, READS[road], facts)
        with arena.acting(node, arena.bob) as connection:
            seen.append("bobs secret" in go(connection, READS[road], facts))
    assert any(seen)


@pytest.mark.parametrize("road", ROLES)
def test_becoming(arena: Arena, facts: dict[str, str], road: str) -> None:
    """By it a superuser reads what is Bob's, from some node; Alice does not, from any."""
    seen = []
    for node in NODES:
        with arena.acting(node, arena.alice) as connection:
            answers = go(connection, ROLES[road], facts)
            assert ("bobs secret" in answers, f"{arena.bob}@" in answers) == (False, False)
        with superuser(arena, node) as connection:
            answers = go(connection, ROLES[road], facts)
            seen.append("bobs secret" in answers or f"{arena.bob}@" in answers)
    assert any(seen)


@pytest.mark.parametrize("road", WRITES)
def test_writing(arena: Arena, facts: dict[str, str], road: str) -> None:
    """By it a superuser changes what Bob has, from some node; Alice does not, from any."""
    before, changed = arena.distributed.execute(HIS, facts), []
    for node in NODES:
        with arena.acting(node, arena.alice) as connection:
            go(connection, WRITES[road], facts)
            told(connection, "commit")
        assert arena.distributed.execute(HIS, facts) == before
        with superuser(arena, node) as connection:
            go(connection, WRITES[road], facts)
            told(connection, "set local application_name = 'root'")
            changed.append(connection.execute(HIS, facts).fetchall() != before)
    assert any(changed)


@pytest.mark.parametrize("node", NODES)
def test_settings(arena: Arena, node: int) -> None:
    """Whatever Alice sets of what Citus lets anybody set, she sees her rows; Bob sees his by most of it."""
    with arena.distributed.all[node].superuser_connection() as connection:
        found = connection.execute(
            "select name, unnest(case vartype when 'bool' then array['on', 'off'] when 'enum' then enumvals "
            "else array[min_val, max_val] end) from pg_settings "
            "where name like 'citus.%' and context = 'user' and vartype <> 'string' "
            "and name <> 'citus.executor_slow_start_interval'"
        ).fetchall()
    shown = 0
    for name, value in found:
        road = (f"set local {name} = '{value}'", "select title from app.todos", "select name from app.account")
        with arena.acting(node, arena.alice) as connection:
            answers = told(connection, "set local statement_timeout = '5s'", *road)
            assert ("bobs secret" in answers, f"{arena.bob}" in answers) == (False, False), (name, value)
        with arena.acting(node, arena.bob) as connection:
            shown += "bobs secret" in told(connection, "set local statement_timeout = '5s'", *road)
    assert shown > len(found) * 0.8 > 50


@pytest.mark.parametrize("node", NODES)
def test_prepared_across_a_move(arena: Arena, node: int) -> None:
    """A statement that was prepared before shards changed places shows each user their own rows, and nobody none."""
    key, distributed = arena.key, arena.distributed
    with psycopg.connect(distributed.all[node].url("service").conninfo(), autocommit=True) as connection:

        def seen(*identity: object) -> str:
            told(connection, "begin")
            if identity:
                connection.execute("select app.set_user_id(%s, %s)", [str(identity[0]), key.seal(str(identity[0]))])
            answers = told(connection, "execute kept")
            told(connection, "commit")
            return answers

        told(connection, "prepare kept as select title from app.todos")
        everybody = (arena.alice, arena.bob, arena.carol)
        before = [seen(user) for user in everybody]
        assert ["bobs secret" in each for each in before] == [False, True, False]
        for user in everybody:
            move(arena, user)
            assert [seen(each) for each in everybody] == before
            assert "secret" not in seen()


def move(arena: Arena, user: UUID) -> None:
    """Bring somebody's shard to the other worker."""
    shard, place = arena.distributed.shard_of(user)
    (other,) = (worker for worker in arena.distributed.workers if worker is not place)
    arena.distributed.execute(
        "select citus_move_shard_placement(%s, %s, 5432, %s, 5432, 'block_writes')",
        [shard.rpartition("_")[2], *(worker.url().params["host"] for worker in (place, other))],
    )
    assert arena.distributed.shard_of(user) == (shard, other)
