"""A session that acts in an organization: claimed in the identity's round trip, and counted for members alone."""

from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlmodel import Session, select

from tests.clusters import Database
from tests.connection.conftest import MakeServed
from tests.connection.served import Served, run, whoami
from userscope.admin import seals
from userscope.errors import InvalidOrganizationId, MissingUserId, NotMember, SealRejected
from userscope.identity import SealKey
from userscope.models import CurrentOrganization, Membership, colleagues
from userscope.testing.proxy import Proxy

CLAIMED = "select name from app.organization"
MALFORMED = ["", "acme", "00000000-0000-0000-0000-00000000000g", "{0f4d3f8c-58b4-4b8e-9a3e-2f0f3f1c2d3}", 1, b"x" * 36]


def make_organization(database: Database, name: str, *owners: UUID) -> UUID:
    """Make an organization with its owners, as the superuser."""
    made = uuid4()
    with database.superuser_connection() as connection:
        connection.execute(
            "insert into app.organizations (id, name, slug) values (%s, %s, %s)", [made, name, f"{name}-{made}"]
        )
        for owner in owners:
            connection.execute(
                "insert into app.members (organization_id, user_id, role) values (%s, %s, 'owner')", [made, owner]
            )
    return made


@pytest.fixture
def acme(home: Database, alice: UUID) -> UUID:
    """Alice's organization."""
    return make_organization(home, "acme", alice)


@pytest.fixture
def beta(home: Database, bob: UUID) -> UUID:
    """Bob's."""
    return make_organization(home, "beta", bob)


def _named(session: Session) -> list[str]:
    return [each.name for each in session.exec(select(CurrentOrganization)).all()]


@pytest.mark.parametrize("opened", ["reader", "session"])
def test_claim(served: Served, opened: str, alice: UUID, acme: UUID) -> None:
    """A session acts for its user in the organization that it names, and in none where it names none."""
    acting = getattr(served, opened)
    assert acting(alice, _named, organization_id=acme) == acting(alice, _named, organization_id=str(acme)) == ["acme"]
    assert acting(alice, _named) == acting(alice, _named, organization_id=None) == []
    assert acting(alice, whoami, organization_id=acme) == alice
    mine = acting(alice, lambda session: session.exec(select(Membership)).all(), organization_id=acme)
    assert [(each.organization_id, each.name, each.role) for each in mine] == [(acme, "acme", "owner")]
    assert [each.user_id for each in acting(alice, lambda it: it.exec(colleagues()).all(), organization_id=acme)] == [
        alice
    ]


def test_every_transaction(served: Served, alice: UUID, acme: UUID) -> None:
    """The claim is bound again after a commit and after a rollback, and survives a savepoint."""

    def work(session: Session) -> list[str]:
        found = run(session, CLAIMED)
        session.commit()
        found += run(session, CLAIMED)
        session.rollback()
        with session.begin_nested():
            found += run(session, CLAIMED)
        return found + run(session, CLAIMED)

    assert served.session(alice, work, organization_id=acme) == ["acme"] * 4


def test_nothing_stays(make_served: MakeServed, alice: UUID, bob: UUID, acme: UUID, beta: UUID) -> None:
    """The next to borrow the connection acts in their own organization or in none, also after a planted claim."""
    served = make_served(database_pool_size=1)
    for opened in (served.session, served.reader):
        served.session(alice, lambda it: run(it, "select set_config('app.organization_id', :id, false)", id=str(acme)))
        assert opened(alice, lambda session: run(session, CLAIMED)) == []
        assert opened(bob, lambda session: run(session, CLAIMED), organization_id=beta) == ["beta"]
        assert opened(alice, lambda session: run(session, CLAIMED), organization_id=acme) == ["acme"]


@pytest.mark.parametrize("value", MALFORMED)
@pytest.mark.parametrize("opened", ["reader", "session"])
def test_malformed(make_served: MakeServed, alice: UUID, opened: str, value: object) -> None:
    """What is no organization's id is refused before any I/O, and not repeated; a user is needed beside one."""
    served = make_served()
    acting = getattr(served, opened)
    with pytest.raises(InvalidOrganizationId) as refused:
        acting(alice, whoami, organization_id=value)
    assert not value or str(value) not in str(refused.value)
    with pytest.raises(MissingUserId):
        acting(None, whoami, organization_id=uuid4())
    assert served.pool.checkedin() == 0  # nothing has connected
    acting(alice, whoami)
    assert served.pool.checkedin() == 1


def test_not_a_member(served: Served, home: Database, alice: UUID, beta: UUID) -> None:
    """An organization that is another's, unknown or deleted is answered alike, letter for letter."""
    deleted = make_organization(home, "deleted", alice)
    assert served.reader(alice, lambda session: run(session, CLAIMED), organization_id=deleted) == ["deleted"]
    with home.superuser_connection() as connection:
        connection.execute("delete from app.organizations where id = %s", [deleted])
    told = set()
    for organization in (beta, uuid4(), deleted):
        for opened in (served.reader, served.session):
            with pytest.raises(NotMember) as refused:
                opened(alice, lambda session: run(session, CLAIMED), organization_id=organization)
            told.add(
                (str(refused.value), refused.value.sqlstate, refused.value.constraint, str(refused.value.__cause__))
            )
    assert len(told) == 1


def test_removed(served: Served, home: Database, alice: UUID, bob: UUID, acme: UUID) -> None:
    """A member who is removed is out at their session's next statement; their own rows they still see."""

    def work(session: Session) -> None:
        assert run(session, CLAIMED) == ["acme"]
        with home.superuser_connection() as connection:
            connection.execute("delete from app.members where user_id = %s", [bob])
        assert run(session, "select count(*) from app.todos") == [2]
        run(session, CLAIMED)

    with home.superuser_connection() as connection:
        connection.execute("insert into app.members (organization_id, user_id) values (%s, %s)", [acme, bob])
    with pytest.raises(NotMember):
        served.session(bob, work, organization_id=acme)
    assert served.session(alice, lambda session: run(session, CLAIMED), organization_id=acme) == ["acme"]


def _repeat(times: int, session: Session) -> None:
    for _ in range(times):
        assert run(session, CLAIMED) == ["acme"]


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_round_trips(
    make_served: MakeServed, home: Database, proxy: Proxy, alice: UUID, acme: UUID, sealed: bool
) -> None:
    """A read in an organization is one round trip, a session of n statements n + 1: the claim takes none."""
    key, _ = seals.add(home.url("admin")) if sealed else (None, None)
    served = make_served(
        proxy.url, database_pool_size=1, userscope_seal_key=key and key.text(), userscope_seal_optional=True
    )
    served.reader(alice, lambda session: run(session, "select 1"))
    for count in (1, 2, 3):
        work = partial(_repeat, count)
        with proxy.counting() as reader:
            served.reader(alice, work, organization_id=acme)
        with proxy.counting() as session:
            served.session(alice, work, organization_id=acme)
        assert (reader.trips, session.trips) == (count, count + 1)


def test_wrong_seal(make_served: MakeServed, alice: UUID, acme: UUID) -> None:
    """A claim is worth nothing without its user: with a seal of another key nothing of the organization is seen."""
    served = make_served(userscope_seal_key=SealKey.generate().text(), userscope_seal_optional=True)
    with pytest.raises(SealRejected):
        served.reader(alice, lambda session: run(session, CLAIMED), organization_id=acme)
