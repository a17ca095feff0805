"""Organizations: schema/deploy/organizations.sql, the tables of Better Auth's plugin, as Python sees them.

A service has no right on the three tables. It reads the two views, and what the two functions answer.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy
from sqlalchemy import func
from sqlmodel import Field
from sqlmodel.sql.expression import SelectOfScalar

from userscope.models.base import BY_DATABASE, TIMESTAMPTZ, Apart, Mapped, answered_by


class _Made(Mapped, Apart):
    """A row that the identity provider keeps."""

    id: UUID = Field(default=None, primary_key=True, sa_column_kwargs=BY_DATABASE)
    created_at: datetime = Field(default=None, sa_type=TIMESTAMPTZ, sa_column_kwargs=BY_DATABASE)


class _Named(Mapped):
    """What an organization is called."""

    name: str = Field(sa_type=sqlalchemy.Text)
    slug: str = Field(sa_type=sqlalchemy.Text)
    logo: str | None = Field(default=None, sa_type=sqlalchemy.Text)


class Organization(_Made, _Named, table=True):
    """A team, workspace or tenant, as the identity provider keeps it."""

    __tablename__ = "organizations"

    metadata_: str | None = Field(default=None, sa_type=sqlalchemy.Text, sa_column_kwargs={"name": "metadata"})


class Member(_Made, table=True):
    """Who belongs to an organization, and as what: ``role`` holds one or several, with commas between them."""

    __tablename__ = "members"

    organization_id: UUID
    user_id: UUID
    role: str = Field(default=None, sa_type=sqlalchemy.Text, sa_column_kwargs=BY_DATABASE)


class Invitation(_Made, table=True):
    """An invitation of an e-mail address; ``status`` is pending, accepted, rejected or canceled."""

    __tablename__ = "invitations"

    organization_id: UUID
    email: str = Field(sa_type=sqlalchemy.Text)
    role: str | None = Field(default=None, sa_type=sqlalchemy.Text)
    status: str = Field(default=None, sa_type=sqlalchemy.Text, sa_column_kwargs=BY_DATABASE)
    expires_at: datetime = Field(sa_type=TIMESTAMPTZ)
    inviter_id: UUID


class CurrentOrganization(_Named, Apart, table=True):
    """The organization that the session acts in: the one row, or none."""

    __tablename__ = "organization"

    id: UUID = Field(primary_key=True)
    metadata_: str | None = Field(default=None, sa_type=sqlalchemy.Text, sa_column_kwargs={"name": "metadata"})
    created_at: datetime = Field(sa_type=TIMESTAMPTZ)


class Membership(_Named, Apart, table=True):
    """An organization that the user of the session is a member of, and as what."""

    __tablename__ = "memberships"

    organization_id: UUID = Field(primary_key=True)
    role: str = Field(sa_type=sqlalchemy.Text)
    created_at: datetime = Field(sa_type=TIMESTAMPTZ)


class Colleague(Mapped, Apart, table=True):
    """A member of the organization that the session acts in; ``colleagues()`` selects them."""

    __tablename__ = "colleagues"

    user_id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=sqlalchemy.Text)
    image: str | None = Field(default=None, sa_type=sqlalchemy.Text)
    role: str = Field(sa_type=sqlalchemy.Text)
    created_at: datetime = Field(sa_type=TIMESTAMPTZ)


class MyInvitation(Mapped, Apart, table=True):
    """An invitation that the user of the session can accept; ``my_invitations()`` selects them."""

    __tablename__ = "my_invitations"

    id: UUID = Field(primary_key=True)
    organization_id: UUID
    name: str = Field(sa_type=sqlalchemy.Text)
    slug: str = Field(sa_type=sqlalchemy.Text)
    role: str | None = Field(default=None, sa_type=sqlalchemy.Text)
    inviter: str = Field(sa_type=sqlalchemy.Text)
    expires_at: datetime = Field(sa_type=TIMESTAMPTZ)


def colleagues() -> SelectOfScalar[Colleague]:
    """Select who belongs to the organization that the session acts in."""
    return answered_by(Colleague, func.app.colleagues())


def my_invitations() -> SelectOfScalar[MyInvitation]:
    """Select the invitations to the user's own address, once it was verified, that can be accepted now."""
    return answered_by(MyInvitation, func.app.my_invitations())
