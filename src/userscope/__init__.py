"""A user reaches only their own rows: kept by PostgreSQL, used from Python.

Everything here is imported when it is first used: ``userscope --help`` and ``userscope.migrations`` need no SQLModel.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from userscope.accounts import Accounts, AsyncAccounts
    from userscope.connection.options import EngineOptions
    from userscope.database import AsyncDatabase, Database
    from userscope.errors import UserscopeError
    from userscope.models import (
        Account,
        Colleague,
        CurrentOrganization,
        Invitation,
        Member,
        Membership,
        MyInvitation,
        Organization,
        OrganizationOwned,
        Owned,
        Timestamped,
        Todo,
        TodoCreate,
        TodoPublic,
        TodoUpdate,
        User,
        UserPublic,
        UserUpdate,
        colleagues,
        my_invitations,
    )
    from userscope.organizations import AsyncOrganizations, Organizations
    from userscope.settings import Settings

__all__ = [
    "Account",
    "Accounts",
    "AsyncAccounts",
    "AsyncDatabase",
    "AsyncOrganizations",
    "Colleague",
    "CurrentOrganization",
    "Database",
    "EngineOptions",
    "Invitation",
    "Member",
    "Membership",
    "MyInvitation",
    "Organization",
    "OrganizationOwned",
    "Organizations",
    "Owned",
    "Settings",
    "Timestamped",
    "Todo",
    "TodoCreate",
    "TodoPublic",
    "TodoUpdate",
    "User",
    "UserPublic",
    "UserUpdate",
    "UserscopeError",
    "colleagues",
    "my_invitations",
]

_HOMES = {"Accounts": "accounts", "AsyncAccounts": "accounts", "Settings": "settings", "UserscopeError": "errors"}
_HOMES["EngineOptions"] = "connection.options"
_HOMES |= dict.fromkeys(("AsyncDatabase", "Database"), "database")
_HOMES |= dict.fromkeys(("AsyncOrganizations", "Organizations"), "organizations")


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("userscope")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"userscope.{_HOMES.get(name, 'models')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
