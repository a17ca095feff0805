"""What every mapping and every input shares."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid4

import pydantic
from pydantic import AfterValidator, ConfigDict
from sqlalchemy import DateTime, FetchedValue
from sqlmodel import Field, SQLModel


def storable(text: str) -> str:
    """Return what PostgreSQL can store: a string without NUL. Raises ValueError, which pydantic reports."""
    if "\0" in text:
        raise ValueError("a NUL character cannot be stored")
    return text


type Text = Annotated[str, AfterValidator(storable), pydantic.Field(json_schema_extra={"pattern": "^[^\\u0000]*$"})]
"""A string that PostgreSQL can store."""

BY_DATABASE: dict[str, Any] = {"server_default": FetchedValue()}
"""Of a column: the database sets it where an insert leaves it out."""

TIMESTAMPTZ = DateTime(timezone=True)


class Mapped(SQLModel):
    """A table or view of schema app. What the database sets is fetched in the statement that made it, never later."""

    __table_args__: ClassVar[Any] = {"schema": "app"}
    __mapper_args__: ClassVar[dict[str, Any]] = {"eager_defaults": True}


class Timestamped(SQLModel):
    """When a row was made and last changed, by the database's clock."""

    created_at: datetime = Field(default=None, sa_type=TIMESTAMPTZ, sa_column_kwargs=BY_DATABASE)
    updated_at: datetime = Field(
        default=None, sa_type=TIMESTAMPTZ, sa_column_kwargs={**BY_DATABASE, "server_onupdate": FetchedValue()}
    )


class Owned(Mapped):
    """A row that belongs to one user. Inherit with ``table=True`` for every table whose rows are owned.

    In the database the key is ``(owner_id, id)``; here ``id`` alone, because a policy supplies the owner: so
    ``session.get(Todo, id)`` finds one's own row, and another user's id looks like an unknown one. It is made here, the
    one default that is repeated in Python: 50 new rows are one statement then.
    """

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    owner_id: UUID = Field(default=None, sa_column_kwargs=BY_DATABASE)


class Input(SQLModel):
    """What a client may send. An unknown field, such as owner_id, is refused rather than ignored."""

    model_config = ConfigDict(extra="forbid")  # type: ignore[assignment]  # SQLModel's own type of it is narrower
