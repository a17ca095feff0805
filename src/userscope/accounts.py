"""Accounts, made and kept as the identity provider's login: for services without Better Auth, sample data and tests."""

from string import ascii_lowercase, ascii_uppercase
from typing import Any, Self
from uuid import UUID

from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.base import Executable
from sqlmodel import col, delete, insert, select, update

from userscope.connection.engine import Connector
from userscope.connection.login_check import LoginCheck
from userscope.connection.scope import Scope
from userscope.connection.session import open_session
from userscope.errors import ConfigurationError, Conflict
from userscope.identity import parse_user_id
from userscope.models import User
from userscope.settings import Settings

_ASCII = str.maketrans(ascii_uppercase, ascii_lowercase)


class Accounts:
    """Users, as a login of app_auth: every call but ensure is one statement, one transaction and one round trip.

    It sees all users and no todos. The letters A to Z of e-mail addresses and usernames are written in lower case; what
    the database's constraints refuse is a Conflict or InvalidValue that says so in a sentence.

    >>> with Accounts() as accounts:                # AUTH_DATABASE_URL
    ...     alice = accounts.create("alice@example.org", name="Alice")
    """

    def __init__(self, settings: Settings | None = None) -> None:
        """Read ``settings``, or the environment. Raises ConfigurationError; connects when first used."""
        self.settings = settings or Settings()
        if self.settings.userscope_user_id != "uuid":
            raise ConfigurationError(
                "there are no accounts of ours",
                detail="They are rows of app.users, known by uuids; user ids are of another kind here.",
                hint="Keep your application's own users in its own way.",
            )
        size, timeout = self.settings.database_pool_size, self.settings.database_pool_timeout
        self._connector = Connector(self.settings.url("auth"), LoginCheck(None), size, timeout)
        self._scope = Scope(None, self.settings.database_statement_timeout, autocommit=True)
        self.engine = self._connector.engine()
        """The engine; what it sends by itself is refused."""

    def create(
        self,
        email: str,
        *,
        name: str = "",
        username: str | None = None,
        email_verified: bool = False,
        image: str | None = None,
        id: UUID | None = None,  # noqa: A002  # what the column is called
    ) -> User:
        """Make an account; ``id`` where another provider has made one already. Raises Conflict or InvalidValue."""
        values = {"email": _lower(email), "name": name, "email_verified": email_verified, "image": image}
        values |= _username(username) | ({"id": id} if id else {})
        created = self._first(insert(User).values(values).returning(User))
        if created is None:
            raise LookupError(email)  # an insert that returns nothing would be a trigger's doing
        return created

    def ensure(self, user_id: UUID | str, email: str, *, name: str = "", email_verified: bool = False) -> User:
        """Return the account with this id, made now if there is none: for one that another provider keeps.

        Safe to call at every sign-in and from several processes at once. Where nothing has changed it is one round
        trip and writes nothing; otherwise at most three. The e-mail address follows the provider's, ``name`` counts
        only at the start: it is the user's to change. Raises Conflict where another id has the address, since no row
        of one id is ever handed to another; UnknownReference where the provider has deleted the account;
        InvalidUserId, InvalidValue.
        """
        told = {"email": _lower(email), "email_verified": email_verified}
        if (known := self._as_told(user_id, told)) is not None:
            return known
        insert_it = postgresql.insert(User).values(id=UUID(parse_user_id(user_id)), name=name, **told)
        try:
            ensured = self._first(insert_it.on_conflict_do_update(index_elements=["id"], set_=told).returning(User))
        except Conflict:
            # PostgreSQL watches for a conflict of ids alone; who makes the same account this moment conflicts in both.
            ensured = self._as_told(user_id, told)
            if ensured is None:
                raise
        if ensured is None:
            raise LookupError(email)  # as in create
        return ensured

    def _as_told(self, user_id: UUID | str, told: dict[str, Any]) -> User | None:
        known = self.get(user_id)
        return known if known and told.items() <= known.model_dump().items() else None

    def get(self, user_id: UUID | str) -> User | None:
        """Return the account with this id, or None. Raises InvalidUserId."""
        return self._first(select(User).where(col(User.id) == UUID(parse_user_id(user_id))))

    def find(self, email: str) -> User | None:
        """Return the account with this e-mail address, or None."""
        return self._first(select(User).where(col(User.email) == _lower(email)))

    def update(
        self, user_id: UUID | str, *, email: str | None = None, username: str | None = None, name: str | None = None
    ) -> User | None:
        """Change what is given, and return the account; None where there is none. Raises Conflict or InvalidValue.

        A new e-mail address is unverified.
        """
        # A new address is nobody's until they have shown that it is theirs.
        values: dict[str, Any] = {} if email is None else {"email": _lower(email), "email_verified": False}
        values |= _username(username) | ({"name": name} if name is not None else {})
        if not values:
            return self.get(user_id)
        own = col(User.id) == UUID(parse_user_id(user_id))
        return self._first(update(User).where(own).values(values).returning(User))

    def delete(self, user_id: UUID | str) -> bool:
        """Delete the account and everything it owns; False where there is none."""
        own = col(User.id) == UUID(parse_user_id(user_id))
        return self._first(delete(User).where(own).returning(User)) is not None

    def close(self) -> None:
        """Close the pool's connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _first(self, statement: Executable) -> User | None:
        with open_session(self.engine, self._scope) as session:
            user: User | None = session.scalars(statement).first()
            return user


def _lower(text: str) -> str:
    """Lower A to Z alone: a KELVIN SIGN is no k, and the address with one is nobody's here."""
    return text.translate(_ASCII)


def _username(username: str | None) -> dict[str, Any]:
    """A username signs in in lower case, and is shown as it was typed."""
    return {} if username is None else {"username": _lower(username), "display_username": username}
