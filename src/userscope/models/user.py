"""People: schema/deploy/users.sql, Better Auth's user table, as Python sees it."""

from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy
from sqlmodel import Field, SQLModel

from userscope.models.base import BY_DATABASE, Apart, Mapped, Timestamped
from userscope.models.inputs import Input, Text


class _Person(Mapped, Timestamped, Apart):
    """What is known of a person."""

    id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=sqlalchemy.Text)
    email: str = Field(sa_type=sqlalchemy.Text)
    email_verified: bool = Field(default=None, sa_column_kwargs=BY_DATABASE)
    image: str | None = Field(default=None, sa_type=sqlalchemy.Text)
    username: str | None = Field(default=None, sa_type=sqlalchemy.Text)
    display_username: str | None = Field(default=None, sa_type=sqlalchemy.Text)


class User(_Person, table=True):
    """A person with an account, as the identity provider manages them. A service has no right on this table."""

    __tablename__ = "users"

    id: UUID = Field(default_factory=uuid4, primary_key=True)


class Account(_Person, table=True):
    """One's own account, all that a service sees of people: the one row is the user's of the session."""

    __tablename__ = "account"


class UserUpdate(Input):
    """What people may change about themselves; e-mail address and username are the identity provider's business."""

    name: Text = Field(default=None)
    image: Text | None = None


class UserPublic(SQLModel):
    """An account as its owner sees it."""

    id: UUID
    name: str
    email: str
    email_verified: bool
    image: str | None
    username: str | None
    display_username: str | None
    created_at: datetime
    updated_at: datetime
