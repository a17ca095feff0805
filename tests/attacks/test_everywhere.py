"""What once broke the promise, tried again through the library: on databases of every owner, directly and pooled."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlmodel import Session

from tests.attacks.arena import Arena
from tests.attacks.guessing import SCANNED
from tests.attacks.world import ACME, ALICE, BETA, BOB, CAROL, GAMMA, KEY
from tests.clusters import Cluster, OwnerKind, both_ends
from tests.connection.conftest import settings_for
from tests.connection.served import run
from tests.pooling.pgbouncer import pgbouncer
from userscope.connection.scope import Isolation
from userscope.database import Database
from userscope.errors import (
    DatabaseError,
    NotMember,
    NotPermitted,
    OperationRefused,
    OutsideSession,
    RoleBypassesRLS,
    SealRejected,
    TooManyParameters,
)
from userscope.identity import SealKey
from userscope.postgres.url import ConnectionURL

pytestmark = pytest.mark.breadth
SEAL_KEY = SealKey("k1", KEY).text()
OWNERS: tuple[OwnerKind, ...] = ("superuser", "neon", "plain")
GROUNDS = [*both_ends("attacked", "attacked15")]


@pytest.fixture(scope="module", params=GROUNDS)
def attacked_cluster(request: pytest.FixtureRequest) -> Cluster:
    made: Cluster = request.getfixturevalue(request.param)
    return made


@pytest.fixture(scope="module", params=OWNERS)
def sealed(attacked_cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Arena]:
    made = Arena.build(attacked_cluster, request.param)
    made.require_seals(True)
    yield made
    made.drop()


@pytest.fixture(scope="module", params=["directly", "pooled"])
def url(sealed: Arena, request: pytest.FixtureRequest) -> Iterator[ConnectionURL]:
    if request.param == "directly":
        yield sealed.database.url("service")
    else:
        with pgbouncer(sealed.database, size=1) as pooler:
            yield pooler.url


@contextmanager
def serving(url: ConnectionURL) -> Iterator[Database]:
    with Database(settings_for(url, userscope_seal_key=SEAL_KEY, database_pool_size=1)) as made:
        yield made


@pytest.fixture
def service(url: ConnectionURL) -> Iterator[Database]:
    with serving(url) as made:
        yield made


def told(service: Database, *statements: str, organization_id: str | None = None) -> str:
    """What Alice is told last: rows, or an error's class and words."""
    try:
        with service.session(ALICE, organization_id=organization_id) as session:
            return [str(run(session, statement)) for statement in statements][-1]
    except DatabaseError as error:
        return f"{type(error).__name__}: {error}"


def test_guessing(service: Database, sealed: Arena) -> None:
    """A title is told by one's own spoilt seal where there is no fence, and not behind one."""
    (title,) = sealed.superuser.execute("select max(title) from app.todos where owner_id = %s", [BOB]).fetchone() or ()
    spoilt = "(select set_config('app.user_seal', 'x', true)) <> ''"
    for table, tells in (("todos", True), ("secrets", False)):
        right, wrong = (
            told(
                service,
                *SCANNED,
                f"select 1 from app.{table} where {spoilt} and title >= '{guess}' and title <= '{guess}'",
            )
            for guess in (title, title[:-1] + "~")
        )
        assert (right != wrong) is tells
        assert right.startswith(SealRejected.__name__)


@pytest.mark.parametrize("column", ["email", "username"])
def test_addresses(service: Database, column: str) -> None:
    """No range over everybody's addresses can be asked for; one's own account answers for oneself."""
    ranged = f"select 1 from app.users where {column} >= 'a' and {column} < 'z' order by {column}"
    for statement in (ranged, f"explain (analyze) {ranged}"):
        assert told(service, statement).startswith(NotPermitted.__name__)
    assert told(service, "select count(*) from app.account") == "[1]"


def test_left_behind(service: Database) -> None:
    """What random() gives next is not the last borrower's choice."""
    drawn = []
    for _ in range(2):
        told(service, "select setseed(0.42)")
        with service.session(BOB) as session:
            drawn.append(run(session, "select random()"))
    assert drawn[0] != drawn[1]


def test_own_settings(url: ConnectionURL, sealed: Arena) -> None:
    """A login that gave itself settings serves nobody."""
    with serving(url) as attacked:
        told(attacked, "alter role current_user set search_path = evil, app")
    try:
        with (
            serving(url) as service,
            pytest.raises(RoleBypassesRLS, match="search_path"),
            service.session(BOB) as session,
        ):
            run(session, "select 1")
    finally:
        sealed.superuser.execute("alter role app_service reset all")
    with serving(url) as service, service.session(BOB) as session:
        assert run(session, "select 1") == [1]


def test_copy(service: Database) -> None:
    """COPY with parameters, which others would read, is refused."""
    with service.session(BOB) as session:
        cursor = session.connection().connection.cursor()
        with pytest.raises(OperationRefused), cursor.copy("copy (select %s) to stdout", ["a secret"]):
            pass


def test_kept(service: Database, sealed: Arena) -> None:
    """A driver's connection, its cursor and its handlers are dead after their session."""
    heard: list[object] = []

    def driver_of(session: Session) -> object:
        run(session, "select 1")
        return session.connection().connection.driver_connection

    with service.session(ALICE) as session:
        kept = driver_of(session)
        cursor = kept.cursor()  # type: ignore[attr-defined]  # psycopg's
        kept.add_notice_handler(heard.append)  # type: ignore[attr-defined]
    before = sealed.snapshot()
    for use in (kept.execute, cursor.execute):  # type: ignore[attr-defined]
        with service.session(BOB) as session:
            run(session, "do $$ begin raise notice 'his'; end $$")
            with pytest.raises(OutsideSession):
                use("update app.todos set title = 'spoilt'")
        with pytest.raises(OutsideSession):
            use("select title from app.todos")
    assert sealed.snapshot() == before
    assert heard == []


def test_forked(url: ConnectionURL, sealed: Arena) -> None:
    """Processes that a fork made read and write their own users' rows."""
    users = [ALICE, BOB]
    with sealed.superuser.transaction():
        sealed.superuser.execute(
            "update app.todos set title = owner_id::text where owner_id = any (%s::uuid[])", [users]
        )
    environment = {name: value for name, value in os.environ.items() if not name.endswith("DATABASE_URL")} | {
        "DATABASE_URL": url.text(),
        "AUTH_DATABASE_URL": sealed.database.url("auth").text(),
        "USERSCOPE_SEAL_KEY": SEAL_KEY,
        "DATABASE_POOL_SIZE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.connection.forking", "duel", "4"],
        env=environment, input="\n".join(users), text=True, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert set(seen) - {"Unavailable"} == {"own"}
    foreign = "select count(*) from app.todos where owner_id = any (%s::uuid[]) and title <> owner_id::text"
    assert sealed.superuser.execute(foreign, [users]).fetchone() == (0,)


def test_too_many_values(service: Database) -> None:
    """A statement with too many values as a session's first one is refused, and the next session is its user's."""
    marks = ", ".join(["%s"] * 65536)
    with pytest.raises(TooManyParameters), service.session(ALICE) as session:
        session.connection().exec_driver_sql(f"select 1 where '1' in ({marks})", tuple(map(str, range(65536))))
    with service.session(BOB) as session:
        assert str(run(session, "select app.current_user_id()")[0]) == BOB


BOARDS = "select string_agg(distinct left(name, -2), ',') from app.boards"
CLAIM = "select set_config('app.organization_id', '{}', {})"


def test_organization_claimed(service: Database) -> None:
    """Who injects SQL acts in another organization of the user's own, and in nobody else's."""
    assert told(service, BOARDS, organization_id=ACME) == "['ali board']"
    assert told(service, CLAIM.format(GAMMA, True), BOARDS, organization_id=ACME) == "['gamma board']"
    assert told(service, CLAIM.format(BETA, True), BOARDS, organization_id=ACME).startswith(NotMember.__name__)
    assert told(service, BOARDS, organization_id=BETA).startswith(NotMember.__name__)


def test_organization_left_behind(service: Database) -> None:
    """An organization set for the session is nobody's afterwards, after a rollback neither; nor is what was planned in it."""
    kept = "prepare kept as select name from app.boards"
    for left in (CLAIM.format(ACME, False), f"set app.organization_id = '{ACME}'", "delete from app.users"):
        told(service, kept, CLAIM.format(ACME, False), left, organization_id=ACME)
        for user in (ALICE, BOB):
            with service.session(user) as session:
                assert run(session, "select app.current_organization_id()") == [None]
                assert run(session, "select count(*) from app.boards") == [0]
        assert told(service, BOARDS, organization_id=GAMMA) == "['gamma board']"
        assert "kept" in told(service, "execute kept", organization_id=GAMMA)  # there is none of that name


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
def test_removed_meanwhile(service: Database, sealed: Arena, isolation: Isolation) -> None:
    """Who is removed while they act is out at the next statement; in the two others from the next transaction on."""
    gone, back = "delete from app.members where organization_id = %s and user_id = %s returning role", (GAMMA, ALICE)
    later = isolation != "read committed"
    try:
        with service.session(ALICE, organization_id=GAMMA, isolation=isolation) as session:
            assert run(session, BOARDS) == ["gamma board"]
            assert sealed.superuser.execute(gone, back).fetchone() == ("member",)
            if later:
                assert run(session, BOARDS) == ["gamma board"]
            else:
                with pytest.raises(NotMember), session.begin_nested():
                    run(session, BOARDS)
        assert told(service, BOARDS, organization_id=GAMMA).startswith(NotMember.__name__)
    finally:
        sealed.superuser.execute(
            "insert into app.members (organization_id, user_id, role) values (%s, %s, 'member')", back
        )
    with service.session(CAROL, organization_id=GAMMA) as session:
        assert run(session, BOARDS) == ["gamma board"]
