"""The logins that work with one database: the word, the variable and the role of each."""

from enum import StrEnum
from typing import Self


class Login(StrEnum):
    """Whom a URL logs in as: by its word, with the variable that names it, the role it is a member of, and what for."""

    variable: str
    role: str | None
    purpose: str

    def __new__(cls, word: str, variable: str = "", role: str | None = None, purpose: str = "") -> Self:
        """Make one of those below; ``Login("service")`` looks it up."""
        login = str.__new__(cls, word)
        login._value_ = word
        login.variable, login.role, login.purpose = variable, role, purpose
        return login

    SERVICE = "service", "DATABASE_URL", "app_user", "the login that services connect with, a member of app_user"
    AUTH = "auth", "AUTH_DATABASE_URL", "app_auth", "the identity provider's login, a member of app_auth"
    ADMIN = "admin", "ADMIN_DATABASE_URL", None, "the owner's login, which migrates and audits"
