"""Managing seal keys: introduced without a flag day, rotated with overlap, never the last one lost, never in a log."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.clusters import Cluster, Database, OwnerKind, deploy, first_of, make_logins
from userscope.admin import seals
from userscope.errors import NotPermitted, SealingError
from userscope.identity import SealKey


@pytest.fixture(scope="module", params=first_of("neon", "superuser", "plain", "plain2"))
def owned(request: pytest.FixtureRequest, any_cluster: Cluster) -> Iterator[Database]:
    """A database migrated by each kind of owner, on each version."""
    kind: OwnerKind = request.param
    made = any_cluster.database(kind)
    deploy(made.url())
    make_logins(made)
    yield made
    made.drop()


def accepted(database: Database, key: SealKey | None, *, now: float | None = None, user: UUID | None = None) -> bool:
    """Whether a service that seals with ``key`` acts for a user."""
    user = user or uuid4()
    seal = key.seal(str(user), now=now) if key else ""
    with database.connect("service") as service, service.transaction():
        service.execute("select app.set_user_id(%s, %s)", [str(user), seal])
        try:
            row = service.execute("select app.current_user_id()").fetchone()
        except psycopg.errors.InvalidAuthorizationSpecification:
            raise psycopg.Rollback from None
        assert row == (user,)
        return True
    return False


def test_life(owned: Database) -> None:
    """Whoever owns the database: a key, services that seal, a seal required, a second key, the first one retired."""
    url = owned.url()
    assert seals.read(url) == seals.Sealing(False, ())
    with pytest.raises(SealingError, match="no active seal key"):
        seals.require(url)

    first, created_at = seals.add(url)
    assert [(key.id, key.created_at, key.retired_at) for key in seals.read(url).keys] == [(first.id, created_at, None)]
    assert accepted(owned, None)  # no flag day: both are accepted
    assert accepted(owned, first)
    assert not accepted(owned, SealKey(first.id, b"x" * 32))
    seals.require(url)
    assert accepted(owned, first)
    assert not accepted(owned, None)

    second, _ = seals.add(url)
    assert accepted(owned, first)
    assert accepted(owned, second)
    retired = seals.retire(url, first.id)
    assert seals.retire(url, first.id) == retired  # said twice, done once
    assert not accepted(owned, first)
    assert accepted(owned, second)
    with pytest.raises(SealingError, match="the last active one"):
        seals.retire(url, second.id)
    assert accepted(owned, second)

    seals.relax(url)
    assert accepted(owned, None)
    assert not accepted(owned, first)  # a wrong seal is refused, required or not
    assert seals.retire(url, second.id)
    assert seals.read(url).active == ()


def test_unknown_key(database: Database) -> None:
    """A key that was never made cannot be retired."""
    with pytest.raises(SealingError, match='there is no seal key "nokey"'):
        seals.retire(database.url(), "nokey")


def test_two_at_once(database: Database) -> None:
    """Two admins who retire the last two keys at one moment: one of them is refused."""
    url = database.url()
    keys = [seals.add(url)[0] for _ in range(2)]
    seals.require(url)
    barrier = threading.Barrier(2)

    def retire(key: SealKey) -> str:
        barrier.wait()
        try:
            seals.retire(url, key.id)
        except SealingError as error:
            return error.message
        return "retired"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(retire, keys))
    assert outcomes[0] == "retired"
    assert outcomes[1].endswith("is the last active one")
    assert len(seals.read(url).active) == 1


def test_lost_row(database: Database) -> None:
    """A lost row of app_private.sealing counts as required for retiring, and is put back by require."""
    url = database.url()
    key, _ = seals.add(url)
    with database.superuser_connection() as superuser:
        superuser.execute("delete from app_private.sealing")
    assert seals.read(url).required is None
    assert not accepted(database, None)
    with pytest.raises(SealingError, match="the last active one"):
        seals.retire(url, key.id)
    seals.require(url)
    assert seals.read(url).required is True


@pytest.mark.parametrize("minutes", [-10, 10])
def test_clock(database: Database, minutes: int) -> None:
    """A service whose clock is ten minutes behind is refused, and told both times; ahead it is served."""
    key, _ = seals.add(database.url())
    user = uuid4()
    with database.connect("service") as service:
        row = service.execute("select extract(epoch from now())").fetchone()
        assert row
        now = float(row[0]) + 60 * minutes
        assert accepted(database, key, now=now, user=user) is (minutes > 0)
        if minutes < 0:
            with pytest.raises(psycopg.errors.InvalidAuthorizationSpecification) as raised, service.transaction():
                service.execute("select app.set_user_id(%s, %s)", [str(user), key.seal(str(user), now=now)])
                service.execute("select app.current_user_id()")
            assert "by the database's clock" in str(raised.value.diag.message_detail)
            assert "compare the clocks" in str(raised.value.diag.message_hint)


def test_no_secret_in_the_log(cluster: Cluster, database: Database) -> None:
    """With everything logged, statements and their values, the server's log holds neither key nor pads."""
    folder = cluster.server.folder
    assert folder
    with database.superuser_connection() as superuser:
        superuser.execute(f"alter database {database.name} set log_statement = 'all'")
        superuser.execute(f"alter database {database.name} set log_min_duration_statement = 0")
        superuser.execute("create table public.control (inner_pad bytea)")
    key, _ = seals.add(database.url())
    inner, outer = key.pads()
    with database.connect() as admin:
        admin.execute("insert into public.control values (%s)", [b"a bound value, logged"])
    log = (folder / "server.log").read_text(encoding="utf-8", errors="replace")
    assert "copy app_private.seal_keys" in log
    assert b"a bound value, logged".hex() in log  # the log does hold values: it was COPY that kept ours out
    for secret in (key.text(), key.secret.hex(), inner.hex(), outer.hex()):
        assert secret not in log


def test_not_the_owner(database: Database) -> None:
    """A service cannot manage keys, and a database that was not migrated is told apart."""
    with pytest.raises(NotPermitted, match="may not manage seal keys"):
        seals.read(database.url("service"))
    elsewhere = database.url().on("postgres")
    with pytest.raises(SealingError, match="was not migrated"):
        seals.read(elsewhere)


def test_services(database: Database) -> None:
    """Who is connected as a member of app_user is told by name; the admin and the identity provider are not."""
    assert seals.services(database.url()) == {}
    with database.connect("service"), database.connect("service"), database.connect("auth"):
        assert seals.services(database.url()) == {"app_service": 2}
