"""What scripts lock is known beforehand: the table of kinds is held against pg_locks, and against rewritten files."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.clusters import Cluster, Connection, Database
from tests.migrations.sketch import Sketch, write
from tests.migrations.sqitch import COMMITTER
from userscope.migrations import runner
from userscope.migrations.locks.foreseen import locks, question
from userscope.migrations.locks.kinds import KINDS, Lock
from userscope.migrations.locks.reading import Effect, Unknown, effects, search_path
from userscope.migrations.projects import Project
from userscope.migrations.script import Script, split
from userscope.migrations.statements import Deployment

WORLD = """
create table u (id int primary key, n int);
create table t (id int primary key, n int not null, m text, u_id int references u, constraint n_check check (n > 0));
create index t_n on t (n);
create unique index t_m on t (n, m);
create function f() returns trigger language plpgsql as 'begin return new; end';
create trigger tr before update on t for each row execute function f();
create policy p on t using (true);
create rule r as on delete to t where false do nothing;
create table w (n int) partition by range (n);
create table w1 partition of w for values from (0) to (10);
create table w2 (n int);
create view v as select id from u;
create materialized view x as select id from t;
create unique index x_id on x (id);
create table k (u_id int references u);
alter table t add constraint later check (n > -1) not valid;
"""
STATEMENTS = """
alter table t alter n set default 3
alter table t alter n set statistics 5
alter table t set (fillfactor = 70)
alter table t add c int
alter table t add c int default 7
alter table t add c timestamptz default now()
alter table t add c uuid default gen_random_uuid()
alter table t add c bigserial
alter table t add c int generated always as identity
alter table t add c int check (c > 0)
alter table t add c int unique
alter table t add c int references u
alter table t alter n type bigint
alter table t alter m set not null
alter table t alter n drop not null
alter table t drop m
alter table t add check (n > 1)
alter table t add check (n > 1) not valid
alter table t add foreign key (n) references u
alter table t add foreign key (n) references u not valid
alter table t add unique (n)
alter table t add constraint t_k unique using index t_m
alter table t validate constraint later
alter table t drop constraint n_check
alter table t drop constraint t_u_id_fkey
alter table t disable trigger tr
alter table t enable row level security, force row level security
alter table t set unlogged
alter table t owner to current_user
alter table t replica identity full
alter table t cluster on t_n
alter table t set schema app
alter table w attach partition w2 for values from (10) to (20)
alter table w detach partition w1
create index on t (m)
drop index t_n
reindex table t
drop table k
drop view v
alter table t rename to s
alter table t rename n to o
alter table t rename constraint n_check to o
alter trigger tr on t rename to o
create trigger tr2 before insert on t for each row execute function f()
drop trigger tr on t
create policy p2 on t using (false)
alter policy p on t using (false)
drop policy p on t
create rule r2 as on update to t where false do nothing
drop rule r on t
comment on table t is 'x'
comment on column t.n is 'x'
create statistics s on n, m from t
create table w3 partition of w for values from (20) to (30)
create table z (u_id int references u)
create table z () inherits (t)
truncate t cascade
update t set n = 2
delete from t
merge into u using t on t.id = u.id when matched then update set n = 2
analyze t
cluster t using t_n
refresh materialized view x
refresh materialized view concurrently x
lock table t in share mode
lock table t in row exclusive mode
lock table t
""".strip().splitlines()
SEPARATELY = {
    "create index concurrently i on t (m)": ("index concurrently", "t"),
    "drop index concurrently t_n": ("drop index concurrently", "t_n"),
    "reindex (concurrently) table t": ("reindex concurrently", "t"),
    "vacuum t": ("vacuum", "t"),
    "vacuum full t": ("vacuum full", "t"),
}
"""What cannot run inside a transaction, where pg_locks could be read after it: as PostgreSQL's manual says."""
HELD = (
    "select b.name, l.mode from pg_locks l join before b on b.oid = l.relation "
    "where l.pid = pg_backend_pid() and l.granted"
)


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> Iterator[Connection]:
    """A connection to a database with one of everything; each test is rolled back."""
    database = cluster.database()
    with database.superuser_connection() as connection:
        connection.execute(f"create schema app; {WORLD}".encode())
        connection.execute(
            "create temp table before as select oid, relname as name from pg_class "
            "where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'm', 'v')"
        )
        connection.autocommit = False
        yield connection
    database.drop()


def held(connection: Connection) -> dict[str, Lock]:
    """The strongest lock of each table that this transaction holds, above reading."""
    found: dict[str, Lock] = {}
    for name, mode in connection.execute(HELD.encode()).fetchall():
        words = {"".join(lock.title().split()) + "Lock": lock for lock in Lock}
        lock = words[mode]
        if lock.strength > Lock.ROW_SHARE.strength and lock.strength > found.get(name, Lock.ACCESS_SHARE).strength:
            found[name] = lock
    return found


def foretold(connection: Connection, project: Project, sql: str) -> dict[str, Lock]:
    """The strongest lock of each table as ``kinds`` has it, by way of the server's answer."""
    path = project.script("deploy", "a")
    script = Script(path, tuple(split(sql, path)))
    asked, found = question([Deployment(project, project.plan.changes[0], None, (), script)])
    cursor = connection.execute(asked.sql.replace("$1", "%s").encode(), asked.params)
    names = [column.name for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    strongest: dict[str, Lock] = {}
    for each in (each for locked in locks(found, rows).values() for each in locked):
        table = each.table.partition(".")[2]
        strongest[table] = max(strongest.get(table, Lock.ACCESS_SHARE), each.kind.lock, key=lambda lock: lock.strength)
    return strongest


@pytest.mark.parametrize("sql", STATEMENTS)
def test_kinds(world: Connection, tmp_path: Path, sql: str) -> None:
    """Every table that a statement really locks is named, with that very lock, and no other is."""
    with world.transaction(force_rollback=True):
        told = foretold(world, write(tmp_path / "p", Sketch.table("a")), sql)
        world.execute(sql.encode())
        assert told == held(world)


@pytest.mark.parametrize("sql", SEPARATELY)
def test_outside_of_transactions(sql: str) -> None:
    """What runs in no transaction is told apart from what does."""
    assert [(each.kind, each.name) for each in effects(sql)] == [SEPARATELY[sql]]


def test_every_kind_is_found() -> None:
    """No kind stands in the table that no statement is found to be."""
    found = {each.kind for sql in (*STATEMENTS, *SEPARATELY) for each in effects(sql)}
    assert KINDS.keys() - found == {f"lock {lock}" for lock in Lock} - {
        "lock SHARE",
        "lock ROW EXCLUSIVE",
        "lock ACCESS EXCLUSIVE",
    }


REWRITTEN = {
    "alter table t add c int default 7": False,
    "alter table t add c timestamptz default now()": False,
    "alter table t add c uuid default gen_random_uuid()": True,
    "alter table t add c bigserial": True,
    "alter table t add c int generated always as identity": True,
    "alter table t alter n type bigint": True,
    "alter table t add c int generated always as (n + 1) stored": True,
    "alter table t set unlogged": True,
    "alter table t alter m set not null": False,
}


@pytest.mark.parametrize("sql", REWRITTEN)
def test_rewritten(world: Connection, sql: str) -> None:
    """What is said to write the table anew gives it another file, and nothing else does."""
    file = "select pg_relation_filenode('t')"
    with world.transaction(force_rollback=True):
        before = world.execute(file).fetchone()
        world.execute(sql.encode())
        assert (world.execute(file).fetchone() != before) is REWRITTEN[sql]
    assert any(KINDS[each.kind].work == "rewrite" for each in effects(sql)) is REWRITTEN[sql]


BIG = "begin;\ncreate table public.big as select i, repeat('x', 500) as t from generate_series(1, 60000) i;\ncommit;\n"
CHANGE = (
    "begin;\nset search_path = public;\nalter table big add n int;\nupdate big set n = 1;\n"
    "create table small (i int);\nalter table small alter i type bigint;\ncommit;\n"
)


@pytest.fixture
def cli(folder: Path, empty: Database, capfd: pytest.CaptureFixture[str]) -> Runner:
    """The command line with the empty database."""
    return Runner(folder, capfd, ADMIN_DATABASE_URL=empty.url().text(), **COMMITTER)


def test_told(cli: Runner) -> None:
    """--dry-run tells of what is locked, for how long at worst, and of code that is not looked into; a run warns."""
    write(cli.folder / "p", Sketch("a", BIG, "drop table public.big;", "select 1;"))
    cli("migrate", "--project", "p")
    change = Sketch("b", CHANGE, "select 1;", "select 1;")
    block = Sketch("c", "begin;\ndo $$ begin null; end $$;\ncommit;\n", "select 2;", "select 1;")
    index = Sketch("d", "create index concurrently on public.big (i);\n", "select 3;", "select 1;")
    write(cli.folder / "p", Sketch("a", BIG, "drop table public.big;", "select 1;"), change, block, index)
    said = cli("migrate", "--project", "p", "--dry-run").stdout.splitlines()[1:]
    assert [line.split(" (")[0] for line in said] == [
        "  + p:b",
        "      ACCESS EXCLUSIVE on public.big",
        "  + p:c",
        "      line 2 runs code of its own, which may lock anything",
        "  + p:d",
        "      SHARE UPDATE EXCLUSIVE on public.big",
    ]
    assert "MB) for some 2 s: line 3 adds a column; nobody reads or writes it meanwhile" in said[1]
    assert said[5].endswith("builds an index; reads and writes go on")
    found = json.loads(cli("migrate", "--project", "p", "--dry-run", "--json").stdout)["locks"]
    assert [(each["change"], each["table"], each["lock"]) for each in found] == [
        ("p:b", "public.big", "ACCESS EXCLUSIVE"),
        ("p:c", None, None),
        ("p:d", "public.big", "SHARE UPDATE EXCLUSIVE"),
    ]
    warned = cli("migrate", "--project", "p").stderr.splitlines()
    assert [line.split(" (")[0] for line in warned] == ["WARNING:  p:b: ACCESS EXCLUSIVE on public.big"]


def test_nothing_locked(empty: Database, tmp_path: Path) -> None:
    """Tables that are not there yet are nobody's to wait for."""
    told: list[str] = []
    project = write(tmp_path / "p", Sketch.table("a"))
    runner.migrate(empty.url(), [project], dry_run=True, report=lambda event: told.append(event.kind))
    assert told == ["remark", "remark"]


def test_search_path() -> None:
    """Tables are looked for where the script would find them."""
    assert search_path('set local search_path = app, "My"') == ["app", "My"]
    assert search_path("set role app_gate") is None
    assert effects("alter table app.t add c int") == [Effect("add column", "app", "t")]
    for sql in ("do 'begin end'", "call f()"):
        with pytest.raises(Unknown):
            effects(sql)
