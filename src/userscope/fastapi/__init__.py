"""FastAPI services whose every session acts for the bearer of the request's token. See docs/fastapi.md."""

from userscope.errors import MissingExtra

try:
    import fastapi  # noqa: F401  # whether it is there
except ModuleNotFoundError as error:
    raise MissingExtra("fastapi", "fastapi") from error

from userscope.fastapi.dependencies import (
    AsyncUserReader,
    AsyncUserSession,
    BigintUserId,
    Claims,
    TextUserId,
    UserId,
    UserReader,
    UserSession,
    current_user_id,
)
from userscope.fastapi.problems import refusals
from userscope.fastapi.service import Service, install, lifespan

__all__ = [
    "AsyncUserReader",
    "AsyncUserSession",
    "BigintUserId",
    "Claims",
    "Service",
    "TextUserId",
    "UserId",
    "UserReader",
    "UserSession",
    "current_user_id",
    "install",
    "lifespan",
    "refusals",
]
