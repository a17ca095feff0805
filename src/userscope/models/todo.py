"""Things to do: schema/deploy/todos.sql as Python sees it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import sqlalchemy
from pydantic import AfterValidator, AwareDatetime, StringConstraints
from sqlmodel import Field, SQLModel

from userscope.models.base import BY_DATABASE, TIMESTAMPTZ, Input, Owned, Timestamped, storable


def _not_blank(title: str) -> str:
    if not title.strip():
        raise ValueError("a title is not blank")
    return title


type Title = Annotated[str, StringConstraints(max_length=200), AfterValidator(storable), AfterValidator(_not_blank)]
type Description = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(storable)]


class Todo(Owned, Timestamped, table=True):
    """A thing to do. Its owner is the user of the session that adds it."""

    __tablename__ = "todos"

    title: str = Field(sa_type=sqlalchemy.Text)
    description: str | None = Field(default=None, sa_type=sqlalchemy.Text)
    completed: bool = Field(default=None, sa_column_kwargs=BY_DATABASE)
    due_at: datetime | None = Field(default=None, sa_type=TIMESTAMPTZ)


class TodoCreate(Input):
    """What is needed to add a todo."""

    title: Title
    description: Description | None = None
    completed: bool = False
    due_at: AwareDatetime | None = None


class TodoUpdate(Input):
    """What may be changed; what is left out stays: ``todo.sqlmodel_update(changes.model_dump(exclude_unset=True))``."""

    title: Title = Field(default=None)
    description: Description | None = None
    completed: bool = Field(default=None)
    due_at: AwareDatetime | None = None


class TodoPublic(SQLModel):
    """A todo as its owner sees it."""

    id: UUID
    title: str
    description: str | None
    completed: bool
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime
