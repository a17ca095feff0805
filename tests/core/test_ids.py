"""Users known by numbers or texts: isolated, indexed and sealed as those known by uuids are."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from tests.clusters import ROOT, Cluster, Connection, first_of, make_logins
from tests.clusters import Database as Clone
from tests.docs import console
from userscope.admin import seals
from userscope.audit.run import audit
from userscope.database import Database
from userscope.errors import InvalidUserId, MissingUserId, NotPermitted, SealRejected
from userscope.identity import Kind, SealKey, UserId
from userscope.migrations import projects, runner
from userscope.settings import Settings

ME = {"uuid": "app.current_user_id()", "bigint": "app.current_user_key()::bigint", "text": "app.current_user_key()"}
PAGE = (ROOT / "docs" / "ids.md").read_text(encoding="utf-8")
PEOPLE: dict[Kind, tuple[UserId, UserId]] = {
    # The second made her id such that the first one's would be read out of it, were the seal ambiguous.
    "text": ("auth0|älice", "auth0|älice.9999999999"),
    "bigint": (7, -(2**63)),
    "uuid": ("0f4d3f8c-58b4-4b8e-9a3e-2f0f3f1c2d3e", "0f4d3f8c-58b4-4b8e-9a3e-2f0f3f1c2d3f"),
}
WRONG: dict[Kind, list[Any]] = {"text": [42], "bigint": ["auth0|x", "1.0"], "uuid": [42, "auth0|x"]}
REFUSED = psycopg.errors.InvalidAuthorizationSpecification


def items(kind: Kind) -> str:
    """The table of docs/ids.md, its owners of any kind."""
    text = console.files(PAGE, "sql")["db/deploy/item.sql"]
    changed = text.replace("owner_id bigint", f"owner_id {kind}").replace("app.current_user_key()::bigint", ME[kind])
    assert changed.count(ME[kind]) == 6
    return changed


@dataclass
class World:
    """Two users who each have an item, in a database that requires seals."""

    clone: Clone
    kind: Kind
    key: SealKey

    @property
    def settings(self) -> Settings:
        """What a service is configured by."""
        url, key = self.clone.url("service").text(), SecretStr(self.key.text())
        return Settings(_env_file=None, database_url=url, userscope_user_id=self.kind, userscope_seal_key=key)

    def rows(self) -> list[tuple[Any, ...]]:
        """Everything there is."""
        with self.clone.superuser_connection() as connection:
            return connection.execute("select owner_id::text, title from public.item order by id").fetchall()


@pytest.fixture(scope="module", params=first_of("text", "bigint", "uuid"))
def kind(request: pytest.FixtureRequest) -> Kind:
    """What users are known by."""
    chosen: Kind = request.param
    return chosen


@pytest.fixture(scope="module")
def world(any_cluster: Cluster, kind: Kind) -> Iterator[World]:
    """A database with the core alone, and a table of an application's own in the schema public."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("USERSCOPE_OURS", "core")
        made = any_cluster.database()
        runner.migrate(made.url(), projects.find())
        make_logins(made)
        with made.superuser_connection() as connection:
            connection.execute(items(kind).encode())
        key, _ = seals.add(made.url())
        seals.require(made.url())
        found = World(made, kind, key)
        with Database(found.settings) as database:
            for user in PEOPLE[kind]:
                with database.session(user) as session:
                    session.connection().exec_driver_sql("insert into public.item (title) values (%s)", (f"of {user}",))
        yield found
        made.drop()


def test_teams(world: World, database: Database) -> None:
    """The tables of docs/ids.md: members reach what is their team's, nobody makes themselves one, no error is found."""
    text = console.files(PAGE, "sql")["db/deploy/team.sql"].replace("user_id bigint", f"user_id {world.kind}")
    ann, bob = PEOPLE[world.kind]
    with world.clone.superuser_connection() as connection:
        connection.execute(text.replace("app.current_user_key()::bigint", ME[world.kind]).encode())
        connection.execute("insert into public.team (name) values ('a'), ('b')")
        connection.execute("insert into public.member values (%s, 1), (%s, 2)", [str(ann), str(bob)])
    for user, own, other in ((ann, 1, 2), (bob, 2, 1)):
        with database.session(user) as session:
            send = session.connection().exec_driver_sql
            assert send("select id from public.team").scalars().all() == [own]
            send("insert into public.project (team_id, name) values (%s, 'p')", (own,))
            assert send("select team_id from public.project").scalars().all() == [own]
            session.rollback()
        for words, query in (
            ("row-level security", f"insert into public.project (team_id, name) values ({other}, 'p')"),
            ("permission denied for table member", f"insert into public.member values ('{user}', {other})"),
        ):
            with pytest.raises(NotPermitted, match=words), database.session(user) as session:
                session.connection().exec_driver_sql(query)
    found = [one for one in audit(world.clone.url()).findings if one.level == "error"]
    assert [one for one in found if re.search(r"public\.(team|member|project)", one.object)] == []
    with world.clone.superuser_connection() as connection:
        connection.execute(
            "alter policy select_own on public.project using (exists (select from public.member as m "
            f"where m.team_id = project.team_id and m.user_id = (select {ME[world.kind]})))".encode()
        )
        (told,) = (one for one in audit(world.clone.url()).findings if one.rule == "policy_open")
        assert told.cure.endswith(f"(select {ME[world.kind].partition('::')[0]}))"), "what this core has"
        connection.execute("drop table public.project, public.member, public.team")


@pytest.fixture
def database(world: World) -> Iterator[Database]:
    """The database as a service sees it."""
    with Database(world.settings) as made:
        yield made


@pytest.fixture
def service(world: World) -> Iterator[Connection]:
    """A connection of the service's login that sends what it likes."""
    with world.clone.connect("service") as connection:
        yield connection


def test_own_rows(database: Database, world: World) -> None:
    """Each reaches their own rows alone, for reading and writing."""
    before = world.rows()
    assert before == [(str(user), f"of {user}") for user in PEOPLE[world.kind]]
    for user in PEOPLE[world.kind]:
        with database.reader(user) as session:
            found = session.connection().exec_driver_sql("select owner_id::text, title from public.item").all()
            assert [tuple(row) for row in found] == [(str(user), f"of {user}")]
        with database.session(user) as session:
            assert session.connection().exec_driver_sql("update public.item set title = title").rowcount == 1
            assert session.connection().exec_driver_sql("delete from public.item").rowcount == 1
            session.rollback()
    assert world.rows() == before


def test_refused_before_anything_is_sent(world: World) -> None:
    """An id of another kind, none, and one with a line end are refused where nothing could be sent."""
    url = world.clone.url("service")
    nowhere = SecretStr(type(url)(url.variable, {**url.params, "port": "1"}).text())
    with Database(world.settings.model_copy(update={"database_url": nowhere})) as away:
        for user in [*WRONG[world.kind], f"{PEOPLE[world.kind][0]}\n"]:
            with pytest.raises(InvalidUserId), away.session(user):
                pytest.fail("it was opened")
        for nobody in (None, ""):
            with pytest.raises(MissingUserId), away.reader(nobody):
                pytest.fail("it was opened")


def test_indexed(world: World, service: Connection) -> None:
    """The policy is a condition of the index, asked once a statement; the function that casts costs no call."""
    alice, _ = map(str, PEOPLE[world.kind])
    with service.transaction():
        service.execute("select app.set_user_id(%s, %s)", [alice, world.key.seal(alice)])
        service.execute("set local enable_seqscan = off")
        service.execute("set local enable_bitmapscan = off")
        plan = "\n".join(row[0] for row in service.execute("explain (verbose, costs off) select id from public.item"))
    assert "Index Cond: (item.owner_id = (InitPlan 1).col1)" in plan.replace("$0", "(InitPlan 1).col1")
    assert "app.current_user_key()" in plan
    assert "app.current_user_id()" not in plan


def test_wrong_seals(world: World, service: Connection) -> None:
    """Nobody acts for the first user by what can be made of the second one's seal, or of an old one of hers."""
    alice, mallory = map(str, PEOPLE[world.kind])
    good, old = world.key.seal(alice), world.key.seal(alice, now=time.time() - 120)
    key_id, expiry, mac = world.key.seal(mallory).split(".")
    old_mac = old.rpartition(".")[2]
    attempts = {
        "none": (alice, ""),
        "another's": (alice, f"{key_id}.{expiry}.{mac}"),
        "with the end of her id as its expiry": (alice, f"{key_id}.9999999999.{mac}"),
        "with two expiries": (alice, f"{key_id}.9999999999.{expiry}.{mac}"),
        "with the end of her id as its key's": (alice, f"9999999999.{expiry}.{mac}"),
        "expired": (alice, old),
        "expired, with a later expiry": (alice, f"{key_id}.{expiry}.{old_mac}"),
        "truncated": (alice, good[:-1]),
        "extended": (alice, good + "0"),
        "with a line end": (alice, good + "\n"),
        "of an id with a line end": (alice + "\n", good),
        "of an id with a blank": (" " + alice, good),
        "of a longer id": (alice + "0", good),
        "of an id and its expiry": (f"{alice}.{good.split('.')[1]}", good),
        "of another key of that name": (alice, SealKey(world.key.id, bytes(32)).seal(alice)),
    }
    for what, (user, seal) in attempts.items():
        with pytest.raises(REFUSED), service.transaction():
            service.execute("select app.set_user_id(%s, %s)", [user, seal])
            assert service.execute("select title from public.item").fetchall() == [], what
    for right, seen in (([alice, good], [(f"of {alice}",)]), (["", good], []), ([None, None], [])):
        with service.transaction():
            service.execute("select app.set_user_id(%s, %s)", right)
            assert service.execute("select title from public.item").fetchall() == seen


def test_forged_in_a_session(database: Database, world: World) -> None:
    """SQL that is injected into a session names another user in vain, with her own seal or without one."""
    alice, mallory = PEOPLE[world.kind]
    for forged in (
        f"select set_config('app.user_id', '{alice}', true)",
        f"select app.set_user_id('{alice}', current_setting('app.user_seal'))",
        f"select app.set_user_id('{alice}')",
    ):
        with pytest.raises(SealRejected), database.session(mallory) as session:
            session.connection().exec_driver_sql(forged)
            session.connection().exec_driver_sql("select title from public.item")


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_encoding(world: World, encoding: str) -> None:
    """An id is sent as UTF-8, whatever encoding the URL or the database asks clients for."""
    alice, _ = PEOPLE[world.kind]
    url = world.clone.url("service")
    asking = SecretStr(type(url)(url.variable, {**url.params, "client_encoding": encoding}).text())
    changed = world.settings.model_copy(update={"database_url": asking})
    with Database(changed) as database, database.reader(alice) as session:
        found = session.connection().exec_driver_sql("select title from public.item").scalars().all()
    assert found == [f"of {alice}"]
