"""A test's database for asyncio: what ``Sandbox`` is, awaited."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from userscope.accounts import AsyncAccounts
from userscope.connection.scope import Isolation
from userscope.database import AsyncDatabase
from userscope.identity import OrganizationId, UserId
from userscope.models import User
from userscope.organizations import AsyncOrganizations
from userscope.testing.proxy import Trips
from userscope.testing.sandbox import SandboxBase, an_address, user_id_of, users_of_ours

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession


class AsyncSandbox(SandboxBase):
    """A migrated database of one's own, used as asyncio services use it. Its test may run in any event loop."""

    @cached_property
    def database(self) -> AsyncDatabase:
        """The database as a service sees it."""
        return AsyncDatabase(self.settings)

    @cached_property
    def accounts(self) -> AsyncAccounts:
        """The accounts as the identity provider sees them."""
        return AsyncAccounts(self.settings)

    @cached_property
    def organizations(self) -> AsyncOrganizations:
        """The organizations as the identity provider sees them."""
        return AsyncOrganizations(self.settings)

    async def user(self, name: str = "", *, email: str | None = None, username: str | None = None) -> User:
        """Make a user of app.users; as ``Sandbox.user``."""
        with users_of_ours():
            return await self.accounts.create(email or an_address(name), name=name, username=username)

    def acting_as(
        self,
        user: User | UserId,
        *,
        organization_id: OrganizationId | None = None,
        isolation: Isolation | None = None,
    ) -> "AbstractAsyncContextManager[AsyncSession]":
        """Open a session that acts for ``user``, in an organization or in none, and commits at its end."""
        return self.database.session(user_id_of(user), organization_id=organization_id, isolation=isolation)

    def reading_as(
        self, user: User | UserId, *, organization_id: OrganizationId | None = None
    ) -> "AbstractAsyncContextManager[AsyncSession]":
        """Open a session that reads as ``user``, in an organization or in none."""
        return self.database.reader(user_id_of(user), organization_id=organization_id)

    @asynccontextmanager
    async def counting(self, user: User | UserId) -> AsyncIterator[tuple[AsyncDatabase, Trips]]:
        """Yield a database whose round trips are counted; as ``Sandbox.counting``."""
        with self._behind_proxy() as (settings, proxy):
            async with AsyncDatabase(settings) as database:
                async with database.reader(user_id_of(user)) as session:
                    await (await session.connection()).exec_driver_sql("select")
                with proxy.counting() as trips:
                    yield database, trips

    async def close(self) -> None:
        """Close every connection, so that the database can be dropped."""
        for made in ("database", "accounts", "organizations"):
            if made in self.__dict__:
                await getattr(self, made).close()
