"""``userscope nodes``: what a node lacks is found, and given to it, also to one that comes later."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.citus.rig import Distributed, Nodes
from tests.cli.runner import Runner
from userscope.admin import nodes as work

PLANTED = {
    "services may call Citus' functions": (
        "grant execute on function run_command_on_workers(text, bool) to public",
        "Citus is open there, without: revoke all on routine run_command_on_workers(text,boolean) from public",
    ),
    "its tables are open": (
        "grant select on pg_dist_node to public",
        "Citus is open there, without: revoke all on pg_dist_node from public",
    ),
    "temporary objects": (
        "grant temporary on database {database} to public",
        "Citus is open there, without: revoke temporary on database {database} from public",
    ),
    "statements can be read": (
        "alter database {database} reset track_activities",
        "statements can be read there, identities among them: track_activities is on",
    ),
    "no identity is sent": (
        "alter database {database} reset citus.propagate_set_commands",
        'identities do not reach other nodes from there: citus.propagate_set_commands is not "local"',
    ),
    "what is kept in between": (
        "alter database {database} reset citus.max_intermediate_result_size",
        "what statements keep in between can be read there: citus.max_intermediate_result_size is not 0",
    ),
    "a function is another": (
        "revoke execute on function app.seal_required() from app_user",
        "the function app.seal_required() is not the coordinator's there",
    ),
}
"""What is done to a worker, and what is said of it; all of it "userscope nodes" mends."""

UNMENDED = {
    "a schema is closed": (
        "revoke usage on schema app from app_user",
        "grant usage on schema app to app_user",
        "the schema app is not the coordinator's there",
    ),
    "another key": (
        "insert into app_private.{seal_keys} values ('gone', repeat('x', 64)::bytea, repeat('y', 64)::bytea)",
        "delete from app_private.{seal_keys}",
        "the set of keys app_private.seal_keys is not the coordinator's there",
    ),
    "a shard is open": (
        "alter table app.{todos} no force row level security",
        "alter table app.{todos} force row level security",
        "row-level security is not forced on app.{todos} there",
    ),
    "a shard's policy is another": (
        "alter policy delete_own on app.{todos} using (true)",
        "alter policy delete_own on app.{todos} "
        "using ((owner_id = app.current_user_id()) and (owner_id = app.shard_key()::uuid))",
        "the policy delete_own of app.{todos} is not its table's there",
    ),
    "a shard is open to COPY": (
        "alter table app.{todos} disable trigger judge_{number}",
        "alter table app.{todos} enable trigger judge_{number}",
        'COPY passes by the policies of app.{todos} there, which has no trigger "judge"',
    ),
    "a login is more": (
        "alter role app_service bypassrls",
        "alter role app_service nobypassrls",
        "the role app_service is not the coordinator's there",
    ),
    "a login is missing": (
        "alter role app_service rename to app_other",
        "alter role app_other rename to app_service",
        "the role app_service is missing there",
    ),
}
"""What is done to a worker and undone again, and what is said of it; which of two is right its owner knows."""


def problems(distributed: Distributed, *, apply: bool = False) -> list[tuple[str, ...]]:
    """What each node lacks, the coordinator first."""
    return [node.problems for node in (work.apply if apply else work.check)(distributed.coordinator.url())]


def on_worker(distributed: Distributed, statement: str) -> dict[str, str]:
    """Run something on the first worker behind Citus' back; return the names that it was written with."""
    with distributed.workers[0].superuser_connection() as worker:
        worker.execute("set citus.enable_ddl_propagation = off")
        worker.execute("set citus.enable_manual_changes_to_shards = on")
        worker.execute("set citus.override_table_visibility = off")
        found = worker.execute(
            "select distinct on (logicalrelid) split_part(logicalrelid::text, '.', 2), "
            "split_part(logicalrelid::text, '.', 2) || '_' || shardid "
            "from pg_dist_shard join pg_dist_placement using (shardid) "
            "where groupid = (select groupid from pg_dist_local_group) order by logicalrelid, shardid"
        ).fetchall()
        names = dict(found) | {"database": distributed.coordinator.name}
        names["number"] = names["todos"].rpartition("_")[2] if "todos" in names else ""
        for one in statement.format(**names).split("; "):
            worker.execute(one.encode())
    return names


@pytest.mark.parametrize("planted", PLANTED)
def test_given(ready: Distributed, planted: str) -> None:
    """What a node lacks is told of it alone, and given to it."""
    statement, told = PLANTED[planted]
    names = on_worker(ready, statement)
    assert problems(ready) == [(), (told.format(**names),), ()]
    assert problems(ready, apply=True) == [()] * 3


@pytest.mark.parametrize("planted", UNMENDED)
def test_told(ready: Distributed, planted: str) -> None:
    """What a node has otherwise is told, and not changed."""
    statement, undo, told = UNMENDED[planted]
    names = on_worker(ready, statement)
    try:
        assert told.format(**names) in problems(ready)[1]
    finally:
        on_worker(ready, undo)
    assert problems(ready) == [()] * 3


def test_a_login_that_one_node_has(ready: Distributed) -> None:
    """A login that was made where Citus did not see it is made on the other nodes, with its password."""
    with ready.coordinator.superuser_connection() as superuser:
        superuser.execute("set citus.enable_ddl_propagation = off")
        superuser.execute("create role lone_service login password 'secret' in role app_user")
    try:
        missing = ("the role lone_service is missing there",)
        assert problems(ready) == [(), missing, missing]
        assert problems(ready, apply=True) == [()] * 3
        verifiers = set()
        for node in ready.all:
            with node.superuser_connection() as superuser:
                verifiers |= set(
                    superuser.execute("select rolpassword from pg_authid where rolname = 'lone_service'").fetchall()
                )
        assert len(verifiers) == 1
    finally:
        for node in ready.all:
            with node.superuser_connection() as superuser:
                superuser.execute("set citus.enable_ddl_propagation = off")
                superuser.execute("drop role if exists lone_service")


def test_spread_by_another_column(ready: Distributed) -> None:
    """A table that is not spread by its owner is told of, with what to do."""
    ready.execute("create table app.strays (id uuid primary key, owner_id uuid not null)")
    ready.execute("alter table app.strays enable row level security, force row level security")
    ready.execute(
        "create policy select_own on app.strays for select to app_user using (owner_id = app.current_user_id())"
    )
    ready.execute("select create_distributed_table('app.strays', 'id')")
    try:
        told = (
            "app.strays is spread by id, where its policy select_own looks for no owner: "
            "app_private.distribute('app.strays', its owner's column)"
        )
        assert told in problems(ready)[0]
    finally:
        ready.execute("drop table app.strays")


@pytest.fixture
def growing(nodes: Nodes) -> Iterator[Distributed]:
    """A database with one worker, ready, and rows in it."""
    made = nodes.database(workers=1)
    made.migrate()
    assert problems(made, apply=True) == [()] * 2
    yield made
    made.drop()


def test_later(growing: Distributed, nodes: Nodes) -> None:
    """A node that is added later lacks what was said to the others; then it has that, and shards may go there."""
    growing.execute("insert into app_private.seal_keys values ('k', repeat('x', 64)::bytea, repeat('y', 64)::bytea)")
    growing.execute(
        "insert into app.users (id, name, email) "
        "select gen_random_uuid(), '', n || '@example.org' from generate_series(1, 50) n"
    )
    growing.execute("insert into app.todos (owner_id, title) select id, name || 'x' from app.users")
    growing.add(nodes.servers[2] if len(nodes.servers) > 2 else nodes.start())
    lacking = problems(growing)
    assert lacking[:2] == [(), ()]
    assert any("track_activities" in problem for problem in lacking[2])
    assert any("could not be" in problem or "Citus is open" in problem for problem in lacking[2])
    assert problems(growing, apply=True) == [()] * 3
    growing.execute("select rebalance_table_shards(shard_transfer_mode => 'block_writes')")
    assert growing.execute(
        "select count(distinct nodeport || nodename) from citus_shards where table_name = 'app.todos'::regclass"
    ) == [(2,)]
    assert problems(growing) == [()] * 3


def test_commands(ready: Distributed, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """nodes, status, audit and health tell, print JSON, and end with 1 while a node lacks something."""
    (folder / "pyproject.toml").write_text("[tool.userscope]\ndistributed = true\n", encoding="utf-8")
    cli = Runner(folder, capfd, **ready.coordinator.environment)
    assert cli("nodes", "--check").stdout.count(".. ok\n") == 3
    for command in (["status"], ["audit"], ["health"], ["verify"]):
        cli(*command)
    assert "is not compared with a scratch one" in cli("audit", "--drift", code=2).stderr
    on_worker(ready, PLANTED["statements can be read"][0])
    told = PLANTED["statements can be read"][1]
    asked = json.loads(cli("nodes", "--check", "--json", code=1).stdout)
    assert [(node["coordinator"], node["problems"]) for node in asked] == [(True, []), (False, [told]), (False, [])]
    assert told in cli("status", code=1).stdout
    assert json.loads(cli("status", "--json", code=1).stdout)[-2]["problems"] == [told]
    (finding,) = json.loads(cli("audit", "--json", code=1).stdout)["findings"]
    assert (finding["rule"], finding["level"], finding["finding"], finding["cure"]) == (
        "nodes",
        "error",
        told,
        "userscope nodes",
    )
    assert cli("nodes").stdout.count(".. ok\n") == 3
    ready.execute("grant execute on function run_command_on_workers(text, bool) to public")
    ready.execute(f"alter database {ready.coordinator.name} set citus.propagate_set_commands = none")
    told = cli("health", code=1).stdout
    called = "a service may call 1 functions of Citus, run_command_on_workers(text,boolean) among them"
    assert 'citus.propagate_set_commands is not "local": run "userscope nodes"' in told
    assert f'{called}: run "userscope nodes"' in told
    cli("nodes")
    cli("health")


def test_on_a_worker(ready: Distributed, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each says that this is a worker: what is deployed, and what is wrong, it cannot tell."""
    (folder / "pyproject.toml").write_text("[tool.userscope]\ndistributed = true\n", encoding="utf-8")
    cli = Runner(folder, capfd, **ready.workers[0].environment)
    told = "ERROR:  this node of Citus is a worker\n"
    for command in ("nodes", "status", "audit"):
        done = cli(command, code=2)
        assert (done.stdout, done.stderr.startswith(told)) == ("", True)
        assert done.stderr.endswith("HINT:  Name the coordinator's host in the URL.\n")
    assert "this node of Citus is a worker: " in cli("health", code=1).stdout


def test_not_migrated(nodes: Nodes, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With Citus and without the project distributed, one error says what to do."""
    made = nodes.database(workers=0)
    try:
        done = Runner(folder, capfd, ADMIN_DATABASE_URL=made.coordinator.url().text())("nodes", code=2)
        assert done.stderr.startswith("ERROR:  the migrations of this database were not made for several nodes\n")
        assert "Write distributed = true under [tool.userscope]" in done.stderr
    finally:
        made.drop()


def test_not_the_owner(ready: Distributed, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Who may not ask the nodes is told whose login can."""
    url = ready.coordinator.url("service").text()
    done = Runner(folder, capfd, ADMIN_DATABASE_URL=url)("nodes", code=2)
    assert 'ERROR:  role "app_service" may not ask the nodes\n' in done.stderr


def test_a_node_that_is_away(ready: Distributed) -> None:
    """A node that does not answer is told of as such, and the others are asked all the same."""
    name = ready.coordinator.name
    with ready.workers[1].cluster.superuser_connection() as superuser:
        superuser.execute(f"alter database {name} allow_connections false".encode())
        try:
            superuser.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
            found = problems(ready)
            assert found[:2] == [(), ()]
            assert found[2][0].startswith("it could not be asked: ")
        finally:
            superuser.execute(f"alter database {name} allow_connections true".encode())
