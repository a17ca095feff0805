"""FastAPI services whose every session acts for the bearer of the request's token. See docs/fastapi.md."""

from userscope.errors import MissingExtra

try:
    import fastapi  # noqa: F401  # whether it is there
except ModuleNotFoundError as error:
    raise MissingExtra("fastapi", "fastapi") from error

from userscope.fastapi.acting import ActingAsyncDatabase, ActingDatabase
from userscope.fastapi.attach import install, install_body_limit, install_errors, install_health, install_positions
from userscope.fastapi.dependencies import (
    AsyncUserDatabase,
    AsyncUserReader,
    AsyncUserSession,
    BigintUserId,
    Claims,
    OrganizationId,
    TextUserId,
    UserDatabase,
    UserId,
    UserPosition,
    UserReader,
    UserSession,
    async_databases,
    async_readers,
    async_sessions,
    current_organization_id,
    current_user_id,
    databases,
    readers,
    sessions,
)
from userscope.fastapi.problems import problem, refusals
from userscope.fastapi.service import Service, lifespan

__all__ = [
    "ActingAsyncDatabase",
    "ActingDatabase",
    "AsyncUserDatabase",
    "AsyncUserReader",
    "AsyncUserSession",
    "BigintUserId",
    "Claims",
    "OrganizationId",
    "Service",
    "TextUserId",
    "UserDatabase",
    "UserId",
    "UserPosition",
    "UserReader",
    "UserSession",
    "async_databases",
    "async_readers",
    "async_sessions",
    "current_organization_id",
    "current_user_id",
    "databases",
    "install",
    "install_body_limit",
    "install_errors",
    "install_health",
    "install_positions",
    "lifespan",
    "problem",
    "readers",
    "refusals",
    "sessions",
]
