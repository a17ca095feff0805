"""What Organizations and AsyncOrganizations do in a session of the identity provider's login.

Whoever acts is judged in the transaction that does it. Each begins by locking the organization's row, so two who change
who belongs to it come one after the other, and what was judged still holds at the commit.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, delete, insert, select, update

from userscope.accounts import Work, lower, only
from userscope.errors import Conflict, InvalidValue, InvitationOver, NotInvited, NotMember, NotPermitted
from userscope.identity import OrganizationId, UserId, parse_organization_id, parse_user_id
from userscope.models import Invitation, Member, Organization, User

OWNER = "owner"
_MANAGERS = {OWNER, "admin"}
_OWNERS = {OWNER}


def create(name: str, slug: str, owner: UserId, logo: str | None, metadata: str | None) -> Work[Organization]:
    """Make an organization and its first member."""
    values = {"name": name, "slug": slug, "logo": logo, "metadata": metadata}
    made, user_id = insert(Organization).values(values).returning(Organization), _user(owner)

    def work(session: Session) -> Organization:
        organization = only(session, made, Organization)
        only(session, _joined(organization.id, user_id, OWNER), Member)
        return organization

    return work


def get(organization_id: OrganizationId) -> Work[Organization | None]:
    """Return an organization, or None."""
    own = select(Organization).where(col(Organization.id) == _organization(organization_id))
    return lambda session: session.scalars(own).first()


def change(organization_id: OrganizationId, by: UserId, values: dict[str, Any]) -> Work[Organization]:
    """Change what is given of an organization."""
    this, who = _organization(organization_id), _user(by)
    known = select(Organization).where(col(Organization.id) == this)
    changed = update(Organization).where(col(Organization.id) == this).values(values).returning(Organization)

    def work(session: Session) -> Organization:
        _judge(session, this, who, _MANAGERS)
        return only(session, changed if values else known, Organization)

    return work


def remove_organization(organization_id: OrganizationId, by: UserId) -> Work[None]:
    """Delete an organization, with everything that belongs to it."""
    this, who = _organization(organization_id), _user(by)

    def work(session: Session) -> None:
        _judge(session, this, who, _OWNERS)
        session.execute(delete(Organization).where(col(Organization.id) == this))

    return work


def invite(
    organization_id: OrganizationId, email: str, role: str, by: UserId, life: timedelta, roles: Collection[str]
) -> Work[Invitation]:
    """Invite an address, in the place of an invitation that it has."""
    this, who, address = _organization(organization_id), _user(by), lower(email)
    known = _known(role, roles)
    values = {"organization_id": this, "email": address, "role": role, "inviter_id": who}
    made = insert(Invitation).values(values | {"expires_at": func.now() + life}).returning(Invitation)
    members = select(Member.id).join(User, col(User.id) == col(Member.user_id))
    pending = col(Invitation.organization_id) == this, col(Invitation.status) == "pending"

    def work(session: Session) -> Invitation:
        _judge(session, this, who, _OWNERS if OWNER in known else _MANAGERS)
        if session.scalars(members.where(Member.organization_id == this, User.email == address)).first():
            raise Conflict("the user is a member already", detail="This user is a member already.")
        session.execute(update(Invitation).where(*pending, col(Invitation.email) == address).values(status="canceled"))
        return only(session, made, Invitation)

    return work


def invitations(organization_id: OrganizationId, by: UserId) -> Work[Sequence[Invitation]]:
    """Return what can still be accepted."""
    this, who = _organization(organization_id), _user(by)
    found = select(Invitation).where(
        Invitation.organization_id == this, col(Invitation.status) == "pending", col(Invitation.expires_at) > func.now()
    )

    def work(session: Session) -> Sequence[Invitation]:
        _judge(session, this, who, _MANAGERS)
        return session.scalars(found.order_by(col(Invitation.created_at), col(Invitation.id))).all()

    return work


def cancel(invitation_id: UUID | str, by: UserId) -> Work[Invitation]:
    """Take an invitation back."""
    this, who = _invitation(invitation_id), _user(by)

    def work(session: Session) -> Invitation:
        found = session.scalars(select(Invitation.organization_id).where(Invitation.id == this)).first()
        if found is None:
            raise NotMember
        _judge(session, found, who, _MANAGERS)
        return _answered(session, this, "canceled")

    return work


def accept(invitation_id: UUID | str, user_id: UserId) -> Work[Member]:
    """Make a member of who shows that the invited address is theirs."""
    this, who = _invitation(invitation_id), _user(user_id)
    theirs = (
        select(Invitation.organization_id, Invitation.role)
        .join(User, col(User.email) == col(Invitation.email))
        .where(Invitation.id == this, User.id == who, col(User.email_verified))
    )

    def work(session: Session) -> Member:
        found = session.execute(theirs).first()
        if found is None or not _locked(session, found.organization_id):
            raise NotInvited
        accepted = _answered(session, this, "accepted")
        return only(session, _joined(accepted.organization_id, who, found.role or "member"), Member)

    return work


def change_role(
    organization_id: OrganizationId, user_id: UserId, role: str, by: UserId, roles: Collection[str]
) -> Work[Member | None]:
    """Change what a member is."""
    this, whom, who = _organization(organization_id), _user(user_id), _user(by)
    known = _known(role, roles)

    def work(session: Session) -> Member | None:
        _judge(session, this, who, _MANAGERS)
        if OWNER in known | _held(session, this, whom):
            _refuse_other(_held(session, this, who), _OWNERS)
        return session.scalars(_made(this, whom, role)).first()

    return work


def remove(organization_id: OrganizationId, user_id: UserId, by: UserId) -> Work[bool]:
    """Remove a member; whoever leaves needs no role for it."""
    this, whom, who = _organization(organization_id), _user(user_id), _user(by)
    gone = delete(Member).where(*_is(this, whom)).returning(col(Member.id))

    def work(session: Session) -> bool:
        held = _judge(session, this, who, None if whom == who else _MANAGERS)
        if OWNER in _held(session, this, whom):
            _refuse_other(held, _OWNERS)
        return session.scalars(gone).first() is not None

    return work


def transfer(organization_id: OrganizationId, to: UserId, by: UserId) -> Work[Member | None]:
    """Make another member the owner, and an admin of who was."""
    this, whom, who = _organization(organization_id), _user(to), _user(by)

    def work(session: Session) -> Member | None:
        _judge(session, this, who, _OWNERS)
        owner = session.scalars(_made(this, whom, OWNER)).first()
        if owner is not None and whom != who:
            only(session, _made(this, who, "admin"), Member)
        return owner

    return work


def _locked(session: Session, organization_id: UUID) -> bool:
    """Let no other transaction change who belongs to an organization; return whether there is one."""
    own = select(Organization.id).where(Organization.id == organization_id).with_for_update(key_share=True)
    return session.scalars(own).first() is not None


def _judge(session: Session, organization_id: UUID, by: UUID, wanted: set[str] | None) -> set[str]:
    """Lock an organization; return what the one who acts is in it. Raises NotMember or NotPermitted."""
    held = _held(session, organization_id, by) if _locked(session, organization_id) else set()
    if not held:
        raise NotMember
    if wanted is not None:
        _refuse_other(held, wanted)
    return held


def _held(session: Session, organization_id: UUID, user_id: UUID) -> set[str]:
    """Return the roles of a user in an organization; of who is no member none."""
    role = session.scalars(select(Member.role).where(*_is(organization_id, user_id))).first()
    return set(role.split(",")) if role else set()


def _refuse_other(held: set[str], wanted: set[str]) -> None:
    if not held & wanted:
        raise NotPermitted("only an owner may do this" if wanted == _OWNERS else "only an owner or admin may do this")


def _answered(session: Session, invitation_id: UUID, status: str) -> Invitation:
    """Note what became of an invitation, while the organization is locked. Raises InvitationOver."""
    mine, in_time = col(Invitation.id) == invitation_id, col(Invitation.expires_at) > func.now()
    noted = update(Invitation).where(mine, col(Invitation.status) == "pending", in_time)
    invitation: Invitation | None = session.scalars(noted.values(status=status).returning(Invitation)).first()
    if invitation is not None:
        return invitation
    found = session.scalars(select(Invitation.status).where(mine)).first()
    if found is None:
        raise NotInvited
    raise InvitationOver("expired" if found == "pending" else found)


def _joined(organization_id: UUID, user_id: UUID, role: str) -> Any:
    values = {"organization_id": organization_id, "user_id": user_id, "role": role}
    return insert(Member).values(values).returning(Member)


def _made(organization_id: UUID, user_id: UUID, role: str) -> Any:
    return update(Member).where(*_is(organization_id, user_id)).values(role=role).returning(Member)


def _is(organization_id: UUID, user_id: UUID) -> tuple[Any, Any]:
    return col(Member.organization_id) == organization_id, col(Member.user_id) == user_id


def _organization(value: OrganizationId) -> UUID:
    return UUID(parse_organization_id(value))


def _user(value: UserId) -> UUID:
    return UUID(parse_user_id(value))


def _invitation(value: UUID | str) -> UUID:
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except ValueError:
        raise NotInvited from None


def _known(role: str, roles: Collection[str]) -> set[str]:
    named = set(role.split(","))
    if named <= {*roles}:
        return named
    raise InvalidValue("there is no such role", detail=f"Roles here are {', '.join(roles)}, with commas between them.")
