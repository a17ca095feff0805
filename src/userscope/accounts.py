"""Accounts, made and kept as the identity provider's login: for services without Better Auth, sample data and tests."""

from collections.abc import Callable
from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING, Any, Self, override
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.base import Executable
from sqlmodel import Session, SQLModel, col, delete, insert, select, update

from userscope.connection.engine import Connector
from userscope.connection.login_check import LoginCheck
from userscope.connection.loops import LoopEngines
from userscope.connection.scope import Scope
from userscope.connection.session import ScopedSession
from userscope.errors import ConfigurationError, Conflict
from userscope.identity import parse_user_id
from userscope.models import User
from userscope.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

type Work[T] = Callable[[Session], T]

_ASCII = str.maketrans(ascii_uppercase, ascii_lowercase)
_ANEW = {"populate_existing": True}


class ProviderBase:
    """How what works as the identity provider's login connects."""

    _each_statement_alone = True
    """Whether each is a transaction of its own; otherwise each call is one."""

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
        self._scope = Scope(None, self.settings.database_statement_timeout, autocommit=self._each_statement_alone)
        self._open()

    def _open(self) -> None:
        """Make what connects when it is first used."""
        raise NotImplementedError


class Provider(ProviderBase):
    """What works as the identity provider's login, on one pool."""

    engine: Engine
    """The engine; what it sends by itself is refused."""

    @override
    def _open(self) -> None:
        self.engine = self._connector.engine()

    def close(self) -> None:
        """Close the pool's connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _do[T](self, work: Work[T]) -> T:
        with ScopedSession(self.engine, scope=self._scope) as session:
            return work(session)


class AsyncProvider(ProviderBase):
    """The same, awaited, in any number of event loops."""

    @override
    def _open(self) -> None:
        self._engines = LoopEngines(self._connector)

    @property
    def engine(self) -> "AsyncEngine":
        """The running event loop's engine; what it sends by itself is refused. Raises MissingExtra without "async"."""
        return self._engines.current()

    async def close(self) -> None:
        """Close the pool's connections."""
        self._engines.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _do[T](self, work: Work[T]) -> T:
        async with self._engines.open(self._scope) as session:
            return await session.run_sync(lambda _: work(session.sync_session))


class Accounts(Provider):
    """Users, as a login of app_auth: every call but ensure is one statement, one transaction and one round trip.

    It sees all users and no todos. The letters A to Z of e-mail addresses and usernames are written in lower case; what
    the database's constraints refuse is a Conflict or InvalidValue that says so in a sentence.

    >>> with Accounts() as accounts:                # AUTH_DATABASE_URL
    ...     alice = accounts.create("alice@example.org", name="Alice")
    """

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
        return self._do(_create(email, username, id, name=name, email_verified=email_verified, image=image))

    def ensure(self, user_id: UUID | str, email: str, *, name: str = "", email_verified: bool = False) -> User:
        """Return the account with this id, made now if there is none: for one that another provider keeps.

        Safe to call at every sign-in and from several processes at once. Where nothing has changed it is one round
        trip and writes nothing; otherwise at most three. The e-mail address follows the provider's, ``name`` counts
        only at the start: it is the user's to change. Raises Conflict where another id has the address, since no row
        of one id is ever handed to another; UnknownReference where the provider has deleted the account;
        InvalidUserId, InvalidValue.
        """
        return self._do(_ensure(user_id, email, name, email_verified))

    def get(self, user_id: UUID | str) -> User | None:
        """Return the account with this id, or None. Raises InvalidUserId."""
        return self._do(_get(user_id))

    def find(self, email: str) -> User | None:
        """Return the account with this e-mail address, or None."""
        return self._do(_find(email))

    def update(
        self, user_id: UUID | str, *, email: str | None = None, username: str | None = None, name: str | None = None
    ) -> User | None:
        """Change what is given, and return the account; None where there is none. Raises Conflict or InvalidValue.

        A new e-mail address is unverified.
        """
        return self._do(_update(user_id, email, username, name))

    def delete(self, user_id: UUID | str) -> bool:
        """Delete the account and everything it owns; False where there is none."""
        return self._do(_delete(user_id))


class AsyncAccounts(AsyncProvider):
    """Users, as a login of app_auth: as ``Accounts``, awaited, in any number of event loops.

    >>> async with AsyncAccounts() as accounts:     # AUTH_DATABASE_URL
    ...     alice = await accounts.create("alice@example.org", name="Alice")
    """

    async def create(
        self,
        email: str,
        *,
        name: str = "",
        username: str | None = None,
        email_verified: bool = False,
        image: str | None = None,
        id: UUID | None = None,  # noqa: A002  # what the column is called
    ) -> User:
        """Make an account; as ``Accounts.create``."""
        return await self._do(_create(email, username, id, name=name, email_verified=email_verified, image=image))

    async def ensure(self, user_id: UUID | str, email: str, *, name: str = "", email_verified: bool = False) -> User:
        """Return the account with this id, made now if there is none; as ``Accounts.ensure``."""
        return await self._do(_ensure(user_id, email, name, email_verified))

    async def get(self, user_id: UUID | str) -> User | None:
        """Return the account with this id, or None; as ``Accounts.get``."""
        return await self._do(_get(user_id))

    async def find(self, email: str) -> User | None:
        """Return the account with this e-mail address, or None."""
        return await self._do(_find(email))

    async def update(
        self, user_id: UUID | str, *, email: str | None = None, username: str | None = None, name: str | None = None
    ) -> User | None:
        """Change what is given, and return the account; as ``Accounts.update``."""
        return await self._do(_update(user_id, email, username, name))

    async def delete(self, user_id: UUID | str) -> bool:
        """Delete the account and everything it owns; False where there is none."""
        return await self._do(_delete(user_id))


def _create(email: str, username: str | None, user_id: UUID | None, **others: object) -> Work[User]:
    values = {"email": lower(email), **others, **_username(username)} | ({"id": user_id} if user_id else {})
    return lambda session: only(session, insert(User).values(values).returning(User), User)


def _ensure(user_id: UUID | str, email: str, name: str, email_verified: bool) -> Work[User]:
    told = {"email": lower(email), "email_verified": email_verified}
    known = _get(user_id)
    made = postgresql.insert(User).values(id=UUID(parse_user_id(user_id)), name=name, **told)
    ensured = made.on_conflict_do_update(index_elements=["id"], set_=told).returning(User)

    def as_told(session: Session) -> User | None:
        user = known(session)
        return user if user and told.items() <= user.model_dump().items() else None

    def work(session: Session) -> User:
        if user := as_told(session):
            return user
        try:
            return only(session, ensured, User)
        except Conflict:
            # PostgreSQL watches for a conflict of ids alone; who makes the same account this moment conflicts in both.
            session.rollback()
            session.expire_all()
            if user := as_told(session):
                return user
            raise

    return work


def _get(user_id: UUID | str) -> Work[User | None]:
    own = select(User).where(col(User.id) == UUID(parse_user_id(user_id)))
    return lambda session: _first(session, own)


def _find(email: str) -> Work[User | None]:
    found = select(User).where(col(User.email) == lower(email))
    return lambda session: _first(session, found)


def _update(user_id: UUID | str, email: str | None, username: str | None, name: str | None) -> Work[User | None]:
    # A new address is nobody's until they have shown that it is theirs.
    values: dict[str, Any] = {} if email is None else {"email": lower(email), "email_verified": False}
    values |= _username(username) | ({"name": name} if name is not None else {})
    if not values:
        return _get(user_id)
    changed = update(User).where(col(User.id) == UUID(parse_user_id(user_id))).values(values).returning(User)
    return lambda session: _first(session, changed)


def _delete(user_id: UUID | str) -> Work[bool]:
    deleted = delete(User).where(col(User.id) == UUID(parse_user_id(user_id))).returning(User)
    return lambda session: _first(session, deleted) is not None


def _first(session: Session, statement: Executable) -> User | None:
    user: User | None = session.scalars(statement, execution_options=_ANEW).first()
    return user


def only[M: SQLModel](session: Session, statement: Executable, _: type[M]) -> M:
    """Return the one row of a statement that always has one."""
    row: M = session.scalars(statement, execution_options=_ANEW).one()
    return row


def lower(text: str) -> str:
    """Lower A to Z alone: a KELVIN SIGN is no k, and the address with one is nobody's here."""
    return text.translate(_ASCII)


def _username(username: str | None) -> dict[str, Any]:
    """A username signs in in lower case, and is shown as it was typed."""
    return {} if username is None else {"username": lower(username), "display_username": username}
