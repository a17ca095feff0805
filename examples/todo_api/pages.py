"""Pages of one's todos, newest first: a cursor is a place in the list, and stays one while todos come and go."""

from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from userscope import Todo, TodoPublic

_BEGINNING = datetime.min.replace(tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_DIGITS = 14
"""Of a time; whatever they are they mean one, in the years 1 to 2284."""


def _cursor(todo: Todo) -> str:
    """Write down the place of a todo: when it was made, and its id."""
    return f"{(todo.created_at - _BEGINNING) // _TICK:0{_DIGITS}x}{todo.id.hex}"


def _place(cursor: str) -> tuple[datetime, UUID]:
    return _BEGINNING + int(cursor[:_DIGITS], 16) * _TICK, UUID(cursor[_DIGITS:])


class PageQuery(BaseModel):
    """Which todos: done or not, how many, and after which page."""

    model_config = ConfigDict(extra="forbid")

    completed: bool | None = None
    limit: int = Field(default=20, ge=1, le=100)
    after: str | None = Field(default=None, pattern="^[0-9a-f]{46}$", description="`next` of the page before")

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
