"""docs/neon-auth.md: profiles are made at the first verified token, go with their user, and are never handed over."""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlmodel import select

from tests import clusters
from tests.clusters import ROOT, Cluster, OwnerKind, make_logins
from tests.issuer import Issuer, Key, serving
from tests.migrations.conftest import copied
from tests.service.served import served
from userscope import Accounts, Database, Todo
from userscope.errors import Conflict, InvalidToken, UnknownReference
from userscope.migrations import runner
from userscope.migrations.projects import load
from userscope.settings import Settings
from userscope.testing import denied

PAGE = (ROOT / "docs" / "neon-auth.md").read_text(encoding="utf-8")
SCRIPTS = {
    kind.lower(): text for text, kind in re.findall(r"```sql\n(-- (Deploy|Revert|Verify) .*?)```", PAGE, re.DOTALL)
}
PLAN = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TABLES = Path(__file__).with_name("neon_auth.sql").read_text(encoding="utf-8")


@dataclass
class NeonAuth:
    """Neon's side: it keeps users in its own tables, and signs tokens for them."""

    database: clusters.Database
    issuer: Issuer

    def sign_up(self, name: str) -> UUID:
        with self.database.superuser_connection() as neon:
            row = neon.execute(
                'insert into neon_auth."user" (name, email, "emailVerified") values (%s, %s, true) returning id',
                [name, f"{name.lower()}@example.org"],
            ).fetchone()
        assert row is not None
        user: UUID = row[0]
        return user

    def delete(self, user: UUID) -> None:
        with self.database.superuser_connection() as neon:
            neon.execute('delete from neon_auth."user" where id = %s', [user])

    def token(self, user: UUID, name: str, **claims: Any) -> str:
        """As Neon signs them: iss and aud are the origin of its URL, and the whole user is in it."""
        told: dict[str, Any] = {
            "aud": self.issuer.url,
            "name": name,
            "email": f"{name.lower()}@example.org",
            "emailVerified": True,
            "role": "authenticated",
        }
        return self.issuer.token(user, **(told | claims))

    def profiles(self) -> dict[UUID, tuple[str, str, bool, int]]:
        """What is stored: by id the name, the address, whether it is verified, and how many todos."""
        with self.database.superuser_connection() as neon:
            rows = neon.execute(
                "select id, name, email, email_verified, (select count(*) from app.todos where owner_id = users.id) "
                "from app.users"
            ).fetchall()
        return {user: (name, email, verified, todos) for user, name, email, verified, todos in rows}


@pytest.fixture(params=["neon", "plain"])
def neon_auth(request: pytest.FixtureRequest, cluster: Cluster, tmp_path: Path) -> Iterator[NeonAuth]:
    """A database of Neon's with its tables in it, migrated with the page's change by an owner who owns none of them."""
    kind: OwnerKind = request.param
    database = cluster.database(kind)
    with database.superuser_connection() as neon:
        neon.execute(TABLES.encode())
        neon.execute(f"grant usage on schema neon_auth to {database.owner}".encode())
        neon.execute(f'grant select, references on neon_auth."user" to {database.owner}'.encode())
    schema, policies = copied(ROOT, tmp_path, "schema", "policies")
    for kind_of, script in SCRIPTS.items():
        (schema.folder / kind_of / "neon_auth.sql").write_text(script, encoding="utf-8")
    plan = schema.folder / "sqitch.plan"
    plan.write_text(plan.read_text(encoding="utf-8") + PLAN[0], encoding="utf-8")
    pair = [load(schema.folder), policies]
    assert "schema:neon_auth" in runner.migrate(database.url(), pair)
    runner.revert(database.url(), pair, to="schema:better_auth", confirm=lambda _: True)
    runner.migrate(database.url(), pair)
    make_logins(database)
    with serving() as issuer:
        issuer.published = lambda key: Key.public(key, alg=None)
        yield NeonAuth(database, issuer)
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
