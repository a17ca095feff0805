"""Accounts makes, finds, changes and deletes users as the identity provider's login, one round trip each."""

import asyncio
import inspect
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from userscope.accounts import Accounts, AsyncAccounts
from userscope.errors import Conflict, InvalidUserId, InvalidValue, MissingUserId, OutsideSession, RoleBypassesRLS
from userscope.models import Todo, User
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings
from userscope.testing import AsyncSandbox, Proxy, Sandbox


class Awaited:
    """AsyncAccounts as Accounts: each call is awaited in an event loop of its own."""

    def __init__(self, accounts: AsyncAccounts) -> None:
        self.accounts = accounts

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.accounts, name)
        if not inspect.iscoroutinefunction(call):
            return call
        return lambda *args, **options: asyncio.run(call(*args, **options))


@pytest.fixture(params=["sync", "async"])
def accounts(request: pytest.FixtureRequest, userscope: Sandbox, userscope_async: AsyncSandbox) -> Any:
    """Accounts of a database of its own, and AsyncAccounts."""
    return userscope.accounts if request.param == "sync" else Awaited(userscope_async.accounts)


def _stored(userscope: Sandbox) -> set[tuple[UUID, str, str | None, bool]]:
    with userscope.admin() as connection:
        return set(connection.execute("select id, email, username, email_verified from app.users").fetchall())


def _through(url: ConnectionURL, userscope: Sandbox) -> Settings:
    """The settings of a service whose accounts connect to ``url``."""
    return userscope.settings.model_copy(update={"auth_database_url": SecretStr(url.text())})


def test_create(accounts: Accounts, userscope: Sandbox) -> None:
    """A new account has what it was given, in lower case where the database asks for it; the rest is the database's."""
    alice = accounts.create("Alice@Example.org", name="Alice", username="Alice.1", email_verified=True)
    assert (alice.email, alice.username, alice.display_username) == ("alice@example.org", "alice.1", "Alice.1")
    assert alice.created_at == alice.updated_at
    chosen = uuid4()
    assert accounts.create("bob@example.org", id=chosen).id == chosen
    assert _stored(userscope) == {
        (alice.id, "alice@example.org", "alice.1", True),
        (chosen, "bob@example.org", None, False),
    }


def test_find(accounts: Accounts) -> None:
    """An account is found by its id and by its address, however that is spelled; an unknown one is None."""
    alice = accounts.create("alice@example.org")
    assert accounts.get(alice.id) == accounts.get(str(alice.id)) == accounts.find("ALICE@example.org") == alice
    assert (accounts.get(uuid4()), accounts.find("bob@example.org")) == (None, None)


def test_update(accounts: Accounts, userscope: Sandbox) -> None:
    """What is given changes, and nothing else; a new address has to be verified again."""
    alice = accounts.create("alice@example.org", name="Alice", email_verified=True)
    bob = accounts.create("bob@example.org", email_verified=True)
    renamed = accounts.update(alice.id, username="Alice", name="Ali")
    assert renamed
    assert (renamed.username, renamed.name, renamed.email_verified) == ("alice", "Ali", True)
    assert renamed.updated_at > alice.updated_at
    moved = accounts.update(alice.id, email="Ali@example.org")
    assert moved
    assert (moved.email, moved.email_verified, moved.name) == ("ali@example.org", False, "Ali")
    assert accounts.update(alice.id) == moved
    assert accounts.update(uuid4(), name="nobody") is None
    assert _stored(userscope) == {
        (alice.id, "ali@example.org", "alice", False),
        (bob.id, "bob@example.org", None, True),
    }


def test_delete(accounts: Accounts, userscope: Sandbox) -> None:
    """An account goes with everything it owns, and with nothing of anybody else's."""
    alice, bob = accounts.create("alice@example.org"), accounts.create("bob@example.org")
    for user in (alice, bob):
        with userscope.acting_as(user) as session:
            session.add(Todo(title=user.email))
    assert (accounts.delete(alice.id), accounts.delete(alice.id)) == (True, False)
    with userscope.admin() as connection:
        assert connection.execute("select owner_id from app.todos").fetchall() == [(bob.id,)]


def test_refusals(accounts: Accounts, userscope: Sandbox) -> None:
    """What a constraint refuses is said in its own sentence, and changes nothing."""
    alice = accounts.create("alice@example.org", username="alice")
    bob = accounts.create("bob@example.org")
    with pytest.raises(Conflict) as taken:
        accounts.create("ALICE@example.org")
    assert taken.value.detail == "This e-mail address is already taken."
    with pytest.raises(Conflict) as taken:
        accounts.update(bob.id, username="Alice")
    assert taken.value.detail == "This username is already taken."
    with pytest.raises(InvalidValue) as invalid:
        accounts.create("élodie@example.org")
    assert "all of them ASCII" in (invalid.value.detail or "")
    with pytest.raises(InvalidValue):
        accounts.update(bob.id, username="b")
    with pytest.raises(InvalidUserId):
        accounts.get("bob")
    with pytest.raises(MissingUserId):
        accounts.delete("")
    assert {row[:3] for row in _stored(userscope)} == {
        (alice.id, "alice@example.org", "alice"),
        (bob.id, "bob@example.org", None),
    }


def test_round_trips(userscope: Sandbox) -> None:
    """Each call is one round trip, and committed when it returns."""
    with (
        Proxy(userscope.settings.url("auth")) as proxy,
        Accounts(_through(proxy.url, userscope)) as made,
    ):
        with proxy.counting() as first:
            alice = made.create("alice@example.org")
        assert first.trips == 2  # with the connection's examination
        with proxy.counting() as later:
            made.update(alice.id, name="A")
            made.get(alice.id)
            made.find(alice.email)
            made.delete(alice.id)
        assert later.trips == 4


def test_ensure(accounts: Accounts, userscope: Sandbox) -> None:
    """What another provider keeps is made once, follows its address, and is handed to no other id."""
    alice, bob = uuid4(), uuid4()
    made = accounts.ensure(alice, "alice@example.org", name="Alice")
    assert accounts.ensure(str(alice), "ALICE@example.org", name="else") == made
    assert accounts.ensure(alice, "ali@example.org", email_verified=True).email == "ali@example.org"
    with pytest.raises(Conflict):
        accounts.ensure(bob, "ali@example.org")
    assert _stored(userscope) == {(alice, "ali@example.org", None, True)}


def test_sees_no_todos(userscope: Sandbox) -> None:
    """The identity provider's connections reach no todos, and its engine sends nothing by itself."""
    accounts = userscope.accounts
    alice = accounts.create("alice@example.org")
    with psycopg.connect(userscope.settings.url("auth").conninfo()) as connection:
        privileges = connection.execute("select has_any_column_privilege('app.todos', 'select')").fetchone()
    assert privileges == (False,)
    with pytest.raises(OutsideSession), accounts.engine.connect() as raw:
        raw.exec_driver_sql("select 1")
    assert isinstance(accounts.get(alice.id), User)


def test_unfit_login(userscope: Sandbox) -> None:
    """The owner's login is not accepted for accounts either."""
    with Accounts(_through(userscope.settings.url("admin"), userscope)) as made, pytest.raises(RoleBypassesRLS):
        made.find("alice@example.org")


def test_lower_case_is_ascii(accounts: Accounts, userscope: Sandbox) -> None:
    """A letter that Unicode lowers to one of a to z is another letter: who writes it is not given another's account."""
    kim = accounts.create("Kim@example.org", username="Kim_S")
    assert accounts.find("KIM@EXAMPLE.ORG") == kim
    for kelvin in ("\u212aim@example.org", "\u212aIM@EXAMPLE.ORG"):
        assert kelvin.lower() == "kim@example.org"
        assert accounts.find(kelvin) is None
        with pytest.raises(InvalidValue, match="users_email_check"):
            accounts.create(kelvin)
        with pytest.raises(InvalidValue, match="users_email_check"):
            accounts.update(kim.id, email=kelvin)
    with pytest.raises(InvalidValue, match="users_username_check"):
        accounts.update(kim.id, username="\u212aim_s")
    # The constraint says so by itself, whatever the collation.
    with userscope.admin() as connection:
        usable = "select collname from pg_collation where collencoding in (-1, 6) and collprovider <> 'i' order by 1"
        collations = [name for (name,) in connection.execute(usable)]
        assert {"C", "default"} <= set(collations)
        for collation in map(sql.Identifier, collations):
            ask = sql.SQL("select array_agg(address collate {} ~ '^[!-@[-~]+$') from unnest(%s::text[]) as address")
            assert connection.execute(ask.format(collation), [["\u212aim@x", "kim@x"]]).fetchone() == ([False, True],)
