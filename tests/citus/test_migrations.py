"""The project ``distributed``: deployed after the two others, verified in their place, and reverted to one node."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.citus.rig import PROJECTS, Distributed, Nodes
from userscope.admin import nodes as nodes_work
from userscope.errors import ScriptError
from userscope.migrations.inspection import verify
from userscope.migrations.projects import find
from userscope.migrations.runner import migrate, revert

_ROWS = """
insert into app.users (name, email) select n, n || '@example.com' from generate_series(1, 20) as n;
insert into app.todos (owner_id, title) select id, name from app.users, generate_series(1, 3);
insert into app.organizations (name, slug) values ('ours', 'ours');
insert into app.members (organization_id, user_id, role) select organizations.id, users.id, 'owner'
  from app.organizations, app.users;
insert into app.sessions (user_id, token, expires_at) select id, name, now() from app.users;
"""
_COUNTS = " union all ".join(f"select count(*) from app.{table}" for table in ("users", "todos", "sessions"))


@pytest.fixture
def fresh(nodes: Nodes) -> Iterator[Distributed]:
    made = nodes.database()
    yield made
    made.drop()


def definition(database: Distributed) -> str:
    """What pg_dump prints of our schemas, by the PostgreSQL that has Citus."""
    program = database.nodes.programs / "pg_dump"
    schemas = [word for name in ("app", "app_fenced", "app_private") for word in ("-n", name)]
    done = subprocess.run(
        [program, "-s", *schemas, "-d", database.coordinator.url().text()], capture_output=True, text=True, check=True
    )
    return "".join(line for line in done.stdout.splitlines(keepends=True) if "restrict" not in line)


def test_there_and_back_and_there_again_leaves_the_same(fresh: Distributed) -> None:
    fresh.migrate(to="policies:organizations")
    fresh.execute(_ROWS)
    before = definition(fresh)
    assert fresh.migrate() == [
        f"distributed:{name}" for name in ("shards", "identity", "lockdown @core", "tables", "organizations @v0.2.0")
    ]
    assert fresh.execute(_COUNTS) == [(20,), (60,), (20,)]
    assert definition(fresh) != before
    revert(fresh.coordinator.url(), PROJECTS[2:], to=None, confirm=lambda _labels: True)
    assert definition(fresh) == before
    assert fresh.execute("select count(*) from pg_dist_partition") == [(0,)]
    assert fresh.execute(_COUNTS) == [(20,), (60,), (20,)]
    assert [result for result in verify(fresh.coordinator.url(), PROJECTS[:2])[0] if result.problems] == []
    fresh.migrate()
    assert fresh.execute(_COUNTS) == [(20,), (60,), (20,)]
    results, pending = verify(fresh.coordinator.url(), PROJECTS)
    assert (len(results), [result for result in results if result.problems], pending) == (16, [], [])


def test_citus_comes_later(nodes: Nodes) -> None:
    """A database that was migrated and filled before it had Citus is spread all the same, and comes back."""
    made = nodes.plain()
    try:
        made.migrate(projects=PROJECTS[:2])
        made.execute(_ROWS)
        before = definition(made)
        made.spread()
        made.migrate()
        assert [node.problems for node in nodes_work.apply(made.coordinator.url())] == [()] * 3
        results, pending = verify(made.coordinator.url(), PROJECTS)
        assert ([result for result in results if result.problems], pending) == ([], [])
        assert made.execute(_COUNTS) == [(20,), (60,), (20,)]
        ((user, placed),) = made.execute("select min(id::text), count(distinct nodename) from app.users, citus_shards")
        with made.coordinator.connect("service") as service, service.transaction():
            service.execute("select app.set_user_id(%s)", [user])
            assert service.execute("select count(*), count(distinct owner_id) from app.todos").fetchall() == [(3, 1)]
            assert service.execute("select id::text from app.account").fetchall() == [(user,)]
        assert placed == 3
        revert(made.coordinator.url(), PROJECTS[2:], to=None, confirm=lambda _labels: True)
        assert definition(made) == before
    finally:
        made.drop()


_OPEN = "create or replace function app.organization() returns table (id uuid, name text, slug text, logo text, \
metadata text, created_at timestamptz) language sql stable parallel safe security definer \
set search_path = pg_catalog, pg_temp as 'select id, name, slug, logo, metadata, created_at from app.organizations'"
_OWNED = "(owner_id = app.current_user_id()) and (owner_id = app.shard_key()::uuid)"
_DEFECTS = {
    "distributed:shards": (
        "alter function app.shard_key(text) stable",
        "alter function app.shard_key(text) immutable",
    ),
    "distributed:lockdown @core": (
        "grant execute on function run_command_on_workers to public",
        "revoke execute on function run_command_on_workers from public",
    ),
    "distributed:tables": (
        "alter policy select_own on app.todos using (true)",
        f"alter policy select_own on app.todos using ({_OWNED})",
    ),
    "distributed:organizations @v0.2.0": (_OPEN, ""),
}
"""By the change that finds it: what somebody has done, and how it is undone."""


@pytest.mark.parametrize("change", _DEFECTS)
def test_a_difference_is_found(distributed: Distributed, change: str) -> None:
    defect, cure = _DEFECTS[change]
    kept = distributed.execute("select pg_get_functiondef('app.organization()'::regprocedure)")[0][0]
    distributed.execute(defect)
    try:
        found = {result.change for result in verify(distributed.coordinator.url(), PROJECTS)[0] if result.problems}
        assert found == {change}
    finally:
        distributed.execute(cure or kept)


def test_a_worker_that_is_open_is_found(distributed: Distributed) -> None:
    with distributed.workers[1].superuser_connection() as worker:
        worker.execute("set citus.enable_ddl_propagation = off")
        worker.execute("grant execute on function run_command_on_workers to public")
        found = [result for result in verify(distributed.coordinator.url(), PROJECTS)[0] if result.problems]
        assert [result.change for result in found] == ["distributed:lockdown @core"]
        assert "run_command_on_workers" in found[0].problems[0]
        worker.execute("select app_private.lock_down_node()")
    assert [result for result in verify(distributed.coordinator.url(), PROJECTS)[0] if result.problems] == []


@pytest.mark.parametrize("later", [False, True], ids=["with Citus", "before it"])
def test_the_core_alone(nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later: bool) -> None:
    """With users of one's own: identities and what distributes tables, and nothing of the reference application."""
    monkeypatch.chdir(tmp_path)
    section = '[tool.userscope]\nours = "core"\n'
    (tmp_path / "pyproject.toml").write_text(section)
    made = nodes.plain()
    try:
        if later:
            migrate(made.coordinator.url(), find())
        made.spread()
        (tmp_path / "pyproject.toml").write_text(f"{section}distributed = true\n")
        migrate(made.coordinator.url(), find())
        assert [node.problems for node in nodes_work.apply(made.coordinator.url())] == [()] * 3
        results, pending = verify(made.coordinator.url(), find())
        assert (len(results), [result for result in results if result.problems], pending) == (6, [], [])
        revert(made.coordinator.url(), find([Path("distributed")]), to=None, confirm=lambda _labels: True)
        assert made.execute("select count(*) from pg_dist_partition") == [(0,)]
    finally:
        made.drop()


@pytest.mark.usefixtures("distributed")  # so that all nodes have the roles, which this leaves on its server
def test_a_database_without_citus_says_so(nodes: Nodes) -> None:
    made = nodes.plain()
    try:
        with pytest.raises(ScriptError, match="this database has no Citus") as caught:
            migrate(made.coordinator.url(), PROJECTS)
        assert "distributed = true" in (caught.value.hint or "")
    finally:
        made.drop()
