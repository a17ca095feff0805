"""Statements without a WHERE go to the one shard that has the user's rows, however many shards there are."""

from collections.abc import Iterator
from typing import Any, LiteralString
from uuid import UUID, uuid4

import pytest

from tests.citus.rig import Distributed, Nodes

_STATEMENTS: tuple[LiteralString, ...] = (
    "select title from app.todos",
    "select title from app.todos order by created_at desc limit 20",
    "select count(*), max(title) from app.todos group by completed",
    "select distinct completed from app.todos",
    "select a.title from app.todos as a join app.todos as b using (owner_id)",
    "select a.title from app.todos as a, app.todos as b",
    "select title, name from app.todos, app.account",
    "with mine as (select title from app.todos) select * from mine",
    "select title, row_number() over (order by title) from app.todos",
    "select title from app.todos union all select title from app.todos where completed",
    "select exists (select from app.todos)",
    "select title from app.todos where id in (select id from app.todos where not completed)",
    "select b.title from app.todos as a, lateral (select title from app.todos where id = a.id) as b",
    "select title from app.todos where id = gen_random_uuid()",
    "insert into app.todos (title) values ('another')",
    "update app.todos set completed = true",
    "delete from app.todos where completed",
)


@pytest.fixture(scope="module", params=[8, 32, 128])
def people(nodes: Nodes, request: pytest.FixtureRequest) -> Iterator[tuple[Distributed, list[UUID]]]:
    """A database with so many shards of todos, and forty users with todos."""
    made = nodes.database()
    made.execute(f"alter database {made.coordinator.name} set citus.shard_count = {request.param}")
    made.migrate()
    ((shards,),) = made.execute("select count(*) from pg_dist_shard where logicalrelid = 'app.todos'::regclass")
    assert shards == request.param
    users = [uuid4() for _ in range(40)]
    with made.coordinator.superuser_connection() as superuser, superuser.transaction():
        for number, user in enumerate(users):
            add = "insert into app.users (id, name, email) values (%s, %s, %s)"
            superuser.execute(add, [user, f"user {number}", f"{number}@example.com"])
            superuser.execute(
                "insert into app.todos (owner_id, title, completed) values (%(user)s, %(name)s || ' a', true), "
                "(%(user)s, %(name)s || ' b', false), (%(user)s, %(name)s || ' c', false)",
                {"user": user, "name": str(number)},
            )
    yield made, users
    made.drop()


def tasks(plan: Any) -> list[int]:
    """How many shards each part of a plan asks."""
    if isinstance(plan, list):
        return [found for each in plan for found in tasks(each)]
    if not isinstance(plan, dict):
        return []
    own = [plan["Task Count"]] if "Task Count" in plan else []
    return own + [found for each in plan.values() for found in tasks(each)]


def test_one_shard_is_asked(people: tuple[Distributed, list[UUID]]) -> None:
    database, (alice, *_) = people
    with database.coordinator.connect("service") as service:
        for statement in _STATEMENTS:
            with service.transaction(force_rollback=True):
                service.execute("select app.set_user_id(%s)", [str(alice)])
                ((plan,),) = service.execute(f"explain (format json) {statement}".encode()).fetchall()
            assert set(tasks(plan)) == {1}, (statement, plan)


def test_everybody_sees_their_own_by_every_node(people: tuple[Distributed, list[UUID]]) -> None:
    """And by prepared statements, whose plans hold a shard."""
    database, users = people
    for node in database.all:
        with node.connect("service") as service:
            for user in [*users, *users[:5]]:
                with service.transaction():
                    service.execute("select app.set_user_id(%s)", [str(user)])
                    rows = service.execute("select owner_id from app.todos order by title", prepare=True).fetchall()
                    assert rows == [(user,)] * 3
            with service.transaction():
                assert service.execute("select owner_id from app.todos order by title", prepare=True).fetchall() == []
