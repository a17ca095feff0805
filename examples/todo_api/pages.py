"""Pages of one's todos, newest first: a cursor is a place in the list, and stays one while todos come and go."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlmodel import col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from userscope import Todo, TodoPublic

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def _place(cursor: str) -> tuple[datetime, UUID]:
    """Return the time and the id that a cursor stands for. Raises ValueError."""
    try:
        packed = urlsafe_b64decode(cursor.encode("ascii"))
        ticks, todo_id = int.from_bytes(packed[:8], signed=True), UUID(bytes=packed[8:])
        return _EPOCH + ticks * _TICK, todo_id
    except (binascii.Error, UnicodeError, OverflowError, ValueError):
        raise ValueError("no page ends here") from None


def _cursor(todo: Todo) -> str:
    ticks = (todo.created_at - _EPOCH) // _TICK
    return urlsafe_b64encode(ticks.to_bytes(8, signed=True) + todo.id.bytes).decode()


def _checked(cursor: str) -> str:
    _place(cursor)
    return cursor


class PageQuery(BaseModel):
    """Which todos: done or not, how many, and after which page."""

    model_config = ConfigDict(extra="forbid")

    completed: bool | None = None
    limit: int = Field(default=20, ge=1, le=100)
    after: Annotated[str, AfterValidator(_checked)] | None = Field(
        default=None, description="`next` of the page before", max_length=32
    )

    def statement(self) -> SelectOfScalar[Todo]:
        """Select one more than the page holds: then there is a next one. No WHERE says whose todos."""
        wanted = select(Todo).order_by(col(Todo.created_at).desc(), col(Todo.id)).limit(self.limit + 1)
        if self.completed is not None:
            wanted = wanted.where(col(Todo.completed).is_(self.completed))
        if self.after is not None:
            created_at, todo_id = _place(self.after)
            # The first half alone leads into the index.
            wanted = wanted.where(
                col(Todo.created_at) <= created_at,
                or_(col(Todo.created_at) < created_at, col(Todo.id) > todo_id),
            )
        return wanted


class Page(BaseModel):
    """Some of one's todos, and where the next ones begin; null at the end."""

    items: list[TodoPublic]
    next: str | None

    @classmethod
    def of(cls, found: list[Todo], limit: int) -> Self:
        """Make a page of ``limit`` todos of one more, if there is one more."""
        items = [TodoPublic.model_validate(todo) for todo in found[:limit]]
        return cls(items=items, next=_cursor(found[limit - 1]) if len(found) > limit else None)
