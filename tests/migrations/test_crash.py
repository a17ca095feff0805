"""A connection cut at any protocol message leaves a change whole or absent, and a plain re-run finishes the work."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import get_args

import pytest

from tests.clusters import Cluster, Connection, Database
from tests.migrations.conftest import Rows, rows_of
from tests.migrations.proxy import Proxy, Way, proxy
from tests.migrations.sketch import Sketch, write
from tests.processes import eventually
from userscope.errors import Unavailable
from userscope.migrations import runner
from userscope.migrations.projects import Project

TABLE = Sketch.table("one")
# Requires, is tagged, and has its verification after the commit.
LATE = Sketch(
    "two",
    "begin;\ncreate type public.two as enum ('a');\nalter type public.two add value 'b';\ncommit;\n",
    "begin;\ndrop type public.two;\ncommit;\n",
    "begin;\nselect 'b'::public.two;\nrollback;\n",
    "one",
)
# Not one transaction: such a script has to be written so that it can run again.
STEPWISE = Sketch(
    "three",
    "drop index concurrently if exists public.one_id_idx;\ncreate index concurrently one_id_idx on public.one (id);\n",
    "drop index concurrently if exists public.one_id_idx;\n",
    "do $$ begin assert (select indisvalid from pg_index where indexrelid = 'public.one_id_idx'::regclass); end $$;",
)

# In psql's language: variables, a file that is included, data, before and after what is plain.
DATA = Sketch(
    "four",
    "\\set table one\n\\set many 1\nbegin;\ninsert into public.:\"table\" values (:'many');\n"
    "copy public.one from stdin;\n2\n3\n\\.\n\\ir include.sql\n"
    "\\copy public.one from stdin (format csv)\n5\n\\.\nupdate public.:table set id = id + :many;\ncommit;\n",
    "\\if true\nbegin;\ndelete from public.one;\ncommit;\n\\endif\n",
    "\\set many 5\nselect 1 / (count(*) = :many)::int from public.one;\n",
)

CATALOG = """
    select relname, relkind::text, relpages < 0 from pg_class where relnamespace = 'public'::regnamespace
    union all
    select typname, enumlabel, true from pg_type left join pg_enum on enumtypid = pg_type.oid
     where typnamespace = 'public'::regnamespace
    union all
    select relname, indisvalid::text, true from pg_index join pg_class on pg_class.oid = indexrelid
     where relnamespace = 'public'::regnamespace
     order by 1, 2
"""

type Fingerprint = tuple[Rows, list[tuple[object, ...]]]


class World:
    """A database, the proxy before it, and the project that is deployed on it."""

    def __init__(self, database: Database, through: Proxy, admin: Connection, project: Project) -> None:
        self.database, self.proxy, self.admin, self.project = database, through, admin, project
        self.queries = [CATALOG]

    def state(self) -> Fingerprint:
        """What is there, once the cut connection's server process has ended."""
        alive = "select count(*) from pg_stat_activity where datname = %s and application_name = 'userscope'"
        eventually(lambda: self.admin.execute(alive, [self.database.name]).fetchone() == (0,))
        return rows_of(self.admin), [row for query in self.queries for row in self.admin.execute(query).fetchall()]

    def cut_everywhere(
        self,
        work: Callable[[bool], object],
        put_back: Callable[[], object],
        *,
        between: Sequence[Fingerprint] | None = (),
    ) -> int:
        """Do ``work`` with the connection cut at every message, one way and the other; return how many there are.

        ``work(True)`` goes through the proxy. ``put_back`` brings back the state before. After a cut the work is
        absent, whole, or in a state ``between`` (None: in any). A second run makes it whole: tried from every state
        between, and from every tenth of those that equal one that was tried already.
        """
        before = self.state()
        work(False)
        after = self.state()
        assert before != after
        put_back()
        assert self.state() == before
        cuts = 0
        tried = [before, after]
        for way in get_args(Way.__value__):
            for number in range(10_000):
                self.proxy.reset((way, number))
                try:
                    work(True)
                except Unavailable:
                    cuts += 1
                else:
                    self.proxy.join()
                    assert self.proxy.counts[way] == number, "the work ended before the cut"
                    put_back()
                    break
                reached = self.state()
                assert between is None or reached in (before, after, *between), f"cut after {number} {way}"
                if reached not in tried or cuts % 10 == 0:
                    tried.append(reached)
                    work(False)
                    assert self.state() == after, f"a second run ended differently: cut after {number} {way}"
                    put_back()
                elif reached != before:
                    put_back()
        assert self.state() == before
        return cuts

    def migrate(self, to: str) -> Callable[[bool], object]:
        """Deploying up to a change."""
        return lambda proxied: runner.migrate(
            self.proxy.through if proxied else self.database.url(), [self.project], to=to
        )

    def revert(self, to: str | None) -> Callable[[bool], object]:
        """Reverting down to a change."""
        return lambda proxied: runner.revert(
            self.proxy.through if proxied else self.database.url(), [self.project], to=to, confirm=lambda _: True
        )

    def forget(self, change: str, *undo: str) -> Callable[[], object]:
        """Take a deployed change back as if it had never been."""

        def put_back() -> None:
            for table in ("tags", "changes", "events"):
                condition = "change_id in (select change_id from sqitch.events where change = %s)"
                self.admin.execute(f"delete from sqitch.{table} where {condition}", [change])
            for statement in undo:
                self.admin.execute(statement)

        return put_back


@pytest.fixture
def world(cluster: Cluster, tmp_path: Path) -> Iterator[World]:
    """An empty database behind a proxy, and a project of three changes."""
    database = cluster.database()
    project = write(tmp_path / "p", TABLE, "@v0", LATE, "@v1", "@v2", STEPWISE)
    with proxy(database.url()) as through, database.superuser_connection() as admin:
        yield World(database, through, admin, project)
    database.drop()


@pytest.mark.breadth
def test_first_deploy(world: World) -> None:
    """Connecting, making the registry (a transaction of its own) and deploying the first change."""
    runner.migrate(world.database.url(), [world.project], to="p:one")
    world.forget("one", "drop table public.one")()
    registry_only = world.state()
    nothing = ("drop schema if exists sqitch cascade", "drop table if exists public.one")

    def put_back() -> None:
        for statement in nothing:
            world.admin.execute(statement)

    put_back()
    assert world.cut_everywhere(world.migrate("p:one"), put_back, between=[registry_only]) > 300


@pytest.mark.breadth
def test_deploy(world: World) -> None:
    """Deploying a change with a dependency and tags whose verification comes after the commit."""
    runner.migrate(world.database.url(), [world.project], to="p:one")
    assert world.cut_everywhere(world.migrate("p:two"), world.forget("two", "drop type if exists public.two")) > 200


@pytest.mark.breadth
def test_deploy_statement_by_statement(world: World) -> None:
    """Deploying a script that is no single transaction, but can run again."""
    runner.migrate(world.database.url(), [world.project], to="p:two")
    put_back = world.forget("three", "drop index if exists public.one_id_idx")
    assert world.cut_everywhere(world.migrate("p:three"), put_back, between=None) > 200


@pytest.mark.breadth
def test_data(world: World, tmp_path: Path) -> None:
    """Deploying a script in psql's language: not a row of what it copies is there without the rest."""
    world.project = write(tmp_path / "q", TABLE, DATA)
    (tmp_path / "q/deploy/include.sql").write_text("insert into public.:table values (:many);\n", encoding="utf-8")
    world.queries.append("select id from public.one order by id")
    runner.migrate(world.database.url(), [world.project], to="p:one")
    put_back = world.forget("four", "delete from public.one")
    assert world.cut_everywhere(world.migrate("p:four"), put_back) > 100


@pytest.mark.breadth
def test_revert(world: World) -> None:
    """Reverting a change with a dependency and tags."""
    runner.migrate(world.database.url(), [world.project], to="p:two")

    def put_back() -> None:
        world.migrate("p:two")(False)
        world.admin.execute("delete from sqitch.events where event = 'revert'")
        world.admin.execute(
            "delete from sqitch.events as later using sqitch.events as earlier "
            "where later.change_id = earlier.change_id and later.committed_at > earlier.committed_at"
        )

    assert world.cut_everywhere(world.revert("p:one"), put_back) > 200


def test_tags(world: World, tmp_path: Path) -> None:
    """Recording tags that were set after the deploy."""
    runner.migrate(world.database.url(), [world.project], to="p:one")
    world.project = write(tmp_path / "q", TABLE, "@v0", "@v8", "@v9")
    put_back = "delete from sqitch.tags where tag in ('@v8', '@v9')"
    assert world.cut_everywhere(world.migrate("p:one"), lambda: world.admin.execute(put_back)) > 20
