"""SQLModel mappings of schema app: thin, since the database knows its own defaults, keys and limits."""

from userscope.models.base import (
    BY_DATABASE,
    TIMESTAMPTZ,
    BigintOwned,
    OrganizationOwned,
    Owned,
    TextOwned,
    Timestamped,
    answered_by,
)
from userscope.models.inputs import BigInteger, Day, Input, Integer, Json, Moment, Number, Text
from userscope.models.organization import (
    Colleague,
    CurrentOrganization,
    Invitation,
    Member,
    Membership,
    MyInvitation,
    Organization,
    colleagues,
    my_invitations,
)
from userscope.models.todo import Todo, TodoCreate, TodoPublic, TodoUpdate
from userscope.models.user import Account, User, UserPublic, UserUpdate

__all__ = [
    "BY_DATABASE",
    "TIMESTAMPTZ",
    "Account",
    "BigInteger",
    "BigintOwned",
    "Colleague",
    "CurrentOrganization",
    "Day",
    "Input",
    "Integer",
    "Invitation",
    "Json",
    "Member",
    "Membership",
    "Moment",
    "MyInvitation",
    "Number",
    "Organization",
    "OrganizationOwned",
    "Owned",
    "Text",
    "TextOwned",
    "Timestamped",
    "Todo",
    "TodoCreate",
    "TodoPublic",
    "TodoUpdate",
    "User",
    "UserPublic",
    "UserUpdate",
    "answered_by",
    "colleagues",
    "my_invitations",
]
