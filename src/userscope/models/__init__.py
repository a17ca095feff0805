"""SQLModel mappings of schema app: thin, since the database knows its own defaults, keys and limits."""

from userscope.models.base import Owned, Timestamped
from userscope.models.todo import Todo, TodoCreate, TodoPublic, TodoUpdate
from userscope.models.user import Account, User, UserPublic, UserUpdate

__all__ = [
    "Account",
    "Owned",
    "Timestamped",
    "Todo",
    "TodoCreate",
    "TodoPublic",
    "TodoUpdate",
    "User",
    "UserPublic",
    "UserUpdate",
]
