"""Organizations, made and kept as the identity provider's login: for services without Better Auth, jobs and tests."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from userscope.accounts import AsyncProvider, Provider, ProviderBase
from userscope.identity import OrganizationId, UserId
from userscope.models import Invitation, Member, Organization
from userscope.organizations import work
from userscope.settings import Settings

ROLES = ("owner", "admin", "member")
"""Better Auth's. Owners may do everything, admins all but what concerns owners and the end of the organization."""

LIFE = timedelta(days=2)
"""How long an invitation can be accepted, unless it says otherwise; as Better Auth has it."""


class _Base(ProviderBase):
    """What Organizations and AsyncOrganizations share."""

    _each_statement_alone = False

    def __init__(self, settings: Settings | None = None, *, roles: Sequence[str] = ROLES) -> None:
        """Read ``settings``, or the environment; ``roles`` are what members may be. Raises ConfigurationError."""
        super().__init__(settings)
        self.roles = tuple(roles)
        """What members may be. Those of your own may do what members may."""


class Organizations(_Base, Provider):
    """Organizations, their members and invitations, as a login of app_auth: each call is one transaction.

    ``by`` is who acts, whose role is judged in that transaction: NotMember for who is none, and for an organization
    that does not exist; NotPermitted where their role does not allow it. What the database's constraints refuse is a
    Conflict, an InvalidValue or an UnknownReference that says so in a sentence, a malformed id InvalidOrganizationId or
    InvalidUserId. An organization has at least one owner: the last one can neither leave nor become something else
    (BrokenConstraint), and of two who leave at once one stays.

    >>> with Organizations() as organizations:      # AUTH_DATABASE_URL
    ...     acme = organizations.create("Acme", slug="acme", owner=alice.id)
    ...     organizations.invite(acme.id, "bob@example.org", by=alice.id)
    """

    def create(
        self, name: str, *, slug: str, owner: UserId, logo: str | None = None, metadata: str | None = None
    ) -> Organization:
        """Make an organization, whose first member is ``owner``; ``metadata`` is JSON. Raises Conflict of a slug."""
        return self._do(work.create(name, slug, owner, logo, metadata))

    def get(self, organization_id: OrganizationId) -> Organization | None:
        """Return the organization with this id, or None."""
        return self._do(work.get(organization_id))

    def update(self, organization_id: OrganizationId, *, by: UserId, **values: str | None) -> Organization:
        """Change ``name``, ``slug``, ``logo`` or ``metadata``: an owner or admin may."""
        return self._do(work.change(organization_id, by, _changes(values)))

    def delete(self, organization_id: OrganizationId, *, by: UserId) -> None:
        """Delete the organization and everything that belongs to it: an owner may."""
        self._do(work.remove_organization(organization_id, by))

    def invite(
        self,
        organization_id: OrganizationId,
        email: str,
        *,
        by: UserId,
        role: str = "member",
        life: timedelta = LIFE,
    ) -> Invitation:
        """Invite an address, in the place of an invitation that it has: an owner or admin may, to "owner" an owner.

        Raises Conflict where the account of the address is a member already.
        """
        return self._do(work.invite(organization_id, email, role, by, life, self.roles))

    def invitations(self, organization_id: OrganizationId, *, by: UserId) -> Sequence[Invitation]:
        """Return the invitations that can still be accepted, the oldest first: an owner or admin may."""
        return self._do(work.invitations(organization_id, by))

    def cancel(self, invitation_id: UUID | str, *, by: UserId) -> Invitation:
        """Take an invitation back: an owner or admin may. Raises InvitationOver."""
        return self._do(work.cancel(invitation_id, by))

    def accept(self, invitation_id: UUID | str, user_id: UserId) -> Member:
        """Make the user a member, whose verified e-mail address is the invited one.

        Raises NotInvited for anybody else, InvitationOver where it was answered or has expired, Conflict for a member.
        """
        return self._do(work.accept(invitation_id, user_id))

    def change_role(self, organization_id: OrganizationId, user_id: UserId, role: str, *, by: UserId) -> Member | None:
        """Give a member another role, or several with commas between them; None where there is no such member.

        An owner or admin may; what makes or changes an owner, an owner.
        """
        return self._do(work.change_role(organization_id, user_id, role, by, self.roles))

    def remove(self, organization_id: OrganizationId, user_id: UserId, *, by: UserId) -> bool:
        """Remove a member, who is out at their next statement; False where there is none.

        An owner or admin may, an owner alone an owner; everybody may leave.
        """
        return self._do(work.remove(organization_id, user_id, by))

    def transfer(self, organization_id: OrganizationId, to: UserId, *, by: UserId) -> Member | None:
        """Make a member the owner, and an admin of the owner who says so; None where there is no such member."""
        return self._do(work.transfer(organization_id, to, by))


class AsyncOrganizations(_Base, AsyncProvider):
    """Organizations, their members and invitations: as ``Organizations``, awaited, in any number of event loops."""

    async def create(
        self, name: str, *, slug: str, owner: UserId, logo: str | None = None, metadata: str | None = None
    ) -> Organization:
        """Make an organization; as ``Organizations.create``."""
        return await self._do(work.create(name, slug, owner, logo, metadata))

    async def get(self, organization_id: OrganizationId) -> Organization | None:
        """Return the organization with this id, or None."""
        return await self._do(work.get(organization_id))

    async def update(self, organization_id: OrganizationId, *, by: UserId, **values: str | None) -> Organization:
        """Change what is given; as ``Organizations.update``."""
        return await self._do(work.change(organization_id, by, _changes(values)))

    async def delete(self, organization_id: OrganizationId, *, by: UserId) -> None:
        """Delete the organization; as ``Organizations.delete``."""
        await self._do(work.remove_organization(organization_id, by))

    async def invite(
        self,
        organization_id: OrganizationId,
        email: str,
        *,
        by: UserId,
        role: str = "member",
        life: timedelta = LIFE,
    ) -> Invitation:
        """Invite an address; as ``Organizations.invite``."""
        return await self._do(work.invite(organization_id, email, role, by, life, self.roles))

    async def invitations(self, organization_id: OrganizationId, *, by: UserId) -> Sequence[Invitation]:
        """Return the invitations that can still be accepted; as ``Organizations.invitations``."""
        return await self._do(work.invitations(organization_id, by))

    async def cancel(self, invitation_id: UUID | str, *, by: UserId) -> Invitation:
        """Take an invitation back; as ``Organizations.cancel``."""
        return await self._do(work.cancel(invitation_id, by))

    async def accept(self, invitation_id: UUID | str, user_id: UserId) -> Member:
        """Make the user a member; as ``Organizations.accept``."""
        return await self._do(work.accept(invitation_id, user_id))

    async def change_role(
        self, organization_id: OrganizationId, user_id: UserId, role: str, *, by: UserId
    ) -> Member | None:
        """Give a member another role; as ``Organizations.change_role``."""
        return await self._do(work.change_role(organization_id, user_id, role, by, self.roles))

    async def remove(self, organization_id: OrganizationId, user_id: UserId, *, by: UserId) -> bool:
        """Remove a member; as ``Organizations.remove``."""
        return await self._do(work.remove(organization_id, user_id, by))

    async def transfer(self, organization_id: OrganizationId, to: UserId, *, by: UserId) -> Member | None:
        """Make a member the owner; as ``Organizations.transfer``."""
        return await self._do(work.transfer(organization_id, to, by))


def _changes(values: dict[str, str | None]) -> dict[str, Any]:
    """Return what may be changed. Raises TypeError for anything else, as a keyword that is unknown does."""
    if unknown := values.keys() - {"name", "slug", "logo", "metadata"}:
        raise TypeError(f"an organization has no {', '.join(sorted(unknown))} to change")
    return dict(values)
