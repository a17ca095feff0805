"""Things to do: schema/deploy/todos.sql as Python sees it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import pydantic
import sqlalchemy
from pydantic import AfterValidator, StrictBool, StringConstraints
from sqlmodel import Field, SQLModel

from userscope.models.base import BY_DATABASE, TIMESTAMPTZ, Apart, Owned, Timestamped
from userscope.models.inputs import Input, Moment, Text, storable


def _not_blank(title: str) -> str:
    if not title.strip():
        raise ValueError("a title is not blank")
    return title


# The pattern describes what the validators check: Python's blanks are not quite those of other regular expressions.
_DESCRIBED = {"pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}

type Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(storable),
    AfterValidator(_not_blank),
    pydantic.Field(json_schema_extra=_DESCRIBED),
]
type Description = Annotated[Text, StringConstraints(max_length=10_000)]


class Todo(Owned, Timestamped, Apart, table=True):
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
    completed: StrictBool = False
    due_at: Moment | None = None


class TodoUpdate(Input):
    """What may be changed; what is left out stays: ``todo.sqlmodel_update(changes.model_dump(exclude_unset=True))``."""

    title: Title = Field(default=None)
    description: Description | None = None
    completed: StrictBool = Field(default=None)
    due_at: Moment | None = None


class TodoPublic(SQLModel):
    """A todo as its owner sees it."""

    id: UUID
    title: str
    description: str | None
    completed: bool
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime
