"""docs/neon-auth.md: profiles are made at the first verified token, go with their user, and are never handed over."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlmodel import select

from tests.clusters import Cluster, first_of
from tests.docs import console
from tests.issuer import Key
from tests.neon.neon_auth import PAGE, SCRIPTS, NeonAuth, migrated
from tests.service.served import served
from userscope import Accounts, Database, Todo
from userscope.errors import Conflict, InvalidToken, UnknownReference
from userscope.settings import Settings
from userscope.testing import denied

PYTHON = console.blocks(PAGE, "python")


@pytest.fixture(scope="module", params=first_of("neon", "plain"))
def pristine(
    request: pytest.FixtureRequest, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NeonAuth]:
    """Neon's side, with a database of each kind of owner, to be cloned."""
    with migrated(cluster, request.param, tmp_path_factory.mktemp("projects")) as made:
        yield made


@pytest.fixture
def neon_auth(pristine: NeonAuth) -> Iterator[NeonAuth]:
    """The same for this test alone."""
    template = pristine.database
    database = template.cluster.clone(template.name, owner=template.owner)
    yield replace(pristine, database=database)
    database.drop()


@pytest.fixture
def settings(neon_auth: NeonAuth) -> Settings:
    """A service's: logins of app_user and app_auth, and whom it trusts."""
    database, issuer = neon_auth.database, neon_auth.issuer
    return issuer.settings(
        auth_audience=issuer.url,
        database_url=database.url("service").text(),
        auth_database_url=database.url("auth").text(),
    )


type SignedIn = Callable[[str], UUID]


@pytest.fixture
def pages(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[dict[str, Any]]]:
    """What the page's two programs define, run as they stand: one by hand, one with FastAPI."""
    monkeypatch.chdir(tmp_path)
    for name in ("database_url", "auth_database_url"):
        monkeypatch.setenv(name.upper(), getattr(settings, name).get_secret_value())
    for name in ("auth_jwks_url", "auth_issuer", "auth_audience"):
        monkeypatch.setenv(name.upper(), getattr(settings, name))
    made: list[dict[str, Any]] = [{}, {}]
    for program, names in zip(PYTHON, made, strict=True):
        exec(program, names)  # noqa: S102  # that it runs is what is tested
    yield made
    for names in made:
        names["accounts"].close()


@pytest.fixture
def signed_in(pages: list[dict[str, Any]]) -> SignedIn:
    """The page's own function."""
    made: SignedIn = pages[0]["signed_in"]
    return made


def test_fastapi(neon_auth: NeonAuth, pages: list[dict[str, Any]]) -> None:
    """The first request of a user makes the profile before its route needs it; without a good token there is none."""
    alice, bob = neon_auth.sign_up("Alice"), neon_auth.sign_up("Bob")
    a, b = ({"Authorization": f"Bearer {neon_auth.token(*user)}"} for user in ((alice, "Alice"), (bob, "Bob")))
    forged = {"Authorization": f"Bearer {neon_auth.issuer.token(alice, key=Key())}"}
    with served(pages[1]["app"]) as client:
        for nobody in ({}, forged):
            assert client.post("/todos", json={"title": "theirs"}, headers=nobody).status_code == 401
        assert neon_auth.profiles() == {}
        assert client.post("/todos", json={"title": "alice's"}, headers=a).status_code == 201
        assert [todo["title"] for todo in client.get("/todos", headers=a).json()] == ["alice's"]
        assert client.get("/todos", headers=b).json() == []
        assert neon_auth.profiles() == {
            alice: ("Alice", "alice@example.org", True, 1),
            bob: ("Bob", "bob@example.org", True, 0),
        }
        neon_auth.delete(alice)
        gone = client.get("/todos", headers=a)
        assert (gone.status_code, "does not exist any more" in gone.headers["www-authenticate"]) == (401, True)
    assert neon_auth.profiles().keys() == {bob}


def test_first_token(neon_auth: NeonAuth, settings: Settings, signed_in: SignedIn) -> None:
    """A verified token makes the profile, once; with it the user has rows of their own."""
    alice, bob = neon_auth.sign_up("Alice"), neon_auth.sign_up("Bob")
    assert neon_auth.profiles() == {}
    for _ in range(2):
        assert signed_in(neon_auth.token(alice, "Alice")) == alice
    assert signed_in(neon_auth.token(bob, "Bob")) == bob
    with Database(settings) as db:
        with db.session(alice) as session:
            session.add(Todo(title="alice's"))
        with db.reader(bob) as session:
            assert session.exec(select(Todo)).all() == []
    assert neon_auth.profiles() == {
        alice: ("Alice", "alice@example.org", True, 1),
        bob: ("Bob", "bob@example.org", True, 0),
    }


def test_no_profile_without_a_token(neon_auth: NeonAuth, signed_in: SignedIn) -> None:
    """A token of anybody else's, or none at all, makes nothing."""
    alice = neon_auth.sign_up("Alice")
    forged = neon_auth.issuer.token(alice, key=Key(), email="alice@example.org", name="Alice", emailVerified=True)
    other = neon_auth.token(alice, "Alice", aud="elsewhere")
    for token in (forged, other, "none"):
        with pytest.raises(InvalidToken):
            signed_in(token)
    assert neon_auth.profiles() == {}


def test_never_by_app_user(neon_auth: NeonAuth) -> None:
    """A service's own login can neither make nor delete a profile, nor look into Neon's tables."""
    alice = neon_auth.sign_up("Alice")
    with neon_auth.database.connect("service") as service:
        with denied("permission denied for table users"):
            service.execute("insert into app.users (id, name, email) values (%s, '', 'alice@example.org')", [alice])
        with denied("permission denied for table users"):
            service.execute("delete from app.users")
        with denied("permission denied for schema neon_auth"):
            service.execute('select from neon_auth."user"')
    assert neon_auth.profiles() == {}


def test_deleted(neon_auth: NeonAuth, settings: Settings, signed_in: SignedIn) -> None:
    """Who goes from Neon Auth goes here, with all they own; a token they still have brings nothing back."""
    alice, bob = neon_auth.sign_up("Alice"), neon_auth.sign_up("Bob")
    for user, name in ((alice, "Alice"), (bob, "Bob")):
        signed_in(neon_auth.token(user, name))
        with Database(settings) as db, db.session(user) as session:
            session.add(Todo(title=name))
    neon_auth.delete(alice)
    assert neon_auth.profiles() == {bob: ("Bob", "bob@example.org", True, 1)}
    with Accounts(settings) as accounts, pytest.raises(UnknownReference, match="does not exist any more"):
        accounts.ensure(alice, "alice@example.org")
    with Database(settings) as db, pytest.raises(UnknownReference), db.session(alice) as session:
        session.add(Todo(title="from beyond"))
    assert neon_auth.profiles() == {bob: ("Bob", "bob@example.org", True, 1)}


def test_returns(neon_auth: NeonAuth, settings: Settings, signed_in: SignedIn) -> None:
    """The same address with a new id is somebody new, with an empty profile."""
    before = neon_auth.sign_up("Alice")
    signed_in(neon_auth.token(before, "Alice"))
    with Database(settings) as db, db.session(before) as session:
        session.add(Todo(title="of the first Alice"))
    neon_auth.delete(before)
    after = neon_auth.sign_up("Alice")
    assert signed_in(neon_auth.token(after, "Alice")) == after != before
    assert neon_auth.profiles() == {after: ("Alice", "alice@example.org", True, 0)}


def test_never_handed_over(neon_auth: NeonAuth, settings: Settings, signed_in: SignedIn) -> None:
    """While an old id still has the address, the new one gets no profile; nothing of the old one is touched."""
    old, new = neon_auth.sign_up("Alice"), neon_auth.sign_up("Mallory")
    signed_in(neon_auth.token(old, "Alice"))
    with Database(settings) as db, db.session(old) as session:
        session.add(Todo(title="of the first Alice"))
    for _ in range(2):  # nor is the refusal forgotten
        with pytest.raises(Conflict, match="already taken"):
            signed_in(neon_auth.token(new, "Alice"))
    signed_in(neon_auth.token(new, "Mallory"))
    with (
        Accounts(settings) as accounts,
        pytest.raises(Conflict),
    ):  # nor by a change of address
        accounts.ensure(new, "ALICE@example.org")
    assert neon_auth.profiles() == {
        old: ("Alice", "alice@example.org", True, 1),
        new: ("Mallory", "mallory@example.org", True, 0),
    }


def test_follows(neon_auth: NeonAuth, settings: Settings) -> None:
    """The address follows Neon's; the name is the user's own once the profile is made; no change writes nothing."""
    alice = neon_auth.sign_up("Alice")
    with Accounts(settings) as accounts:
        made = accounts.ensure(alice, "Alice@example.org", name="Alice")
        assert accounts.ensure(alice, "alice@EXAMPLE.org", name="Alice") == made
        moved = accounts.ensure(alice, "alice@example.com", name="Somebody", email_verified=True)
    assert (moved.name, moved.email, moved.email_verified) == ("Alice", "alice@example.com", True)
    assert moved.updated_at > made.updated_at == made.created_at


def test_follows_tokens(neon_auth: NeonAuth, signed_in: SignedIn) -> None:
    """Each token counts, also one that was seen before: the address is what the last one says, there and back."""
    alice = neon_auth.sign_up("Alice")
    before, after = (neon_auth.token(alice, "Alice", email=f"alice@{name}.example") for name in ("before", "after"))
    for token, place in ((before, "before"), (after, "after"), (before, "before"), (after, "after")):
        signed_in(token)
        assert neon_auth.profiles() == {alice: ("Alice", f"alice@{place}.example", True, 0)}


def test_removed_here(neon_auth: NeonAuth, settings: Settings, signed_in: SignedIn) -> None:
    """A profile that was deleted while its user stays at Neon is made again, empty, by the next token."""
    alice = neon_auth.sign_up("Alice")
    token = neon_auth.token(alice, "Alice")
    signed_in(token)
    with Accounts(settings) as accounts:
        assert accounts.delete(alice)
    assert neon_auth.profiles() == {}
    assert signed_in(token) == alice
    assert neon_auth.profiles() == {alice: ("Alice", "alice@example.org", True, 0)}


def test_race(neon_auth: NeonAuth, settings: Settings) -> None:
    """Many processes that see a user's first token at once make one profile, and none of them fails."""
    users = [neon_auth.sign_up(f"User{number}") for number in range(20)]
    with ExitStack() as stack, ThreadPoolExecutor(4) as pool:
        processes = [stack.enter_context(Accounts(settings)) for _ in range(4)]
        at_once = threading.Barrier(len(processes))
        for number, user in enumerate(users):

            def first_token(accounts: Accounts, user: UUID = user, number: int = number) -> UUID:
                at_once.wait()
                return accounts.ensure(user, f"user{number}@example.org").id

            assert list(pool.map(first_token, processes)) == [user] * 4
    assert neon_auth.profiles().keys() == set(users)


def test_verified(neon_auth: NeonAuth) -> None:
    """The page's verification bites where a profile would stay when its user goes."""
    with neon_auth.database.superuser_connection() as neon:
        neon.execute(SCRIPTS["verify"].encode())
        neon.execute("alter table app.users drop constraint users_id_fkey")
        neon.execute('alter table app.users add constraint users_id_fkey foreign key (id) references neon_auth."user"')
        with pytest.raises(psycopg.errors.RaiseException, match="does not go with its user"):
            neon.execute(SCRIPTS["verify"].encode())


def test_ids_are_neons(neon_auth: NeonAuth, settings: Settings) -> None:
    """A profile cannot be made for an id that Neon Auth does not know."""
    with Accounts(settings) as accounts, pytest.raises(UnknownReference):
        accounts.ensure(uuid4(), "nobody@example.org")
    assert neon_auth.profiles() == {}
