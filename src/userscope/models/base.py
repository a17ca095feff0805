"""What every mapping shares."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, DateTime, FetchedValue, FunctionElement, Text, inspect
from sqlalchemy.orm import aliased, registry
from sqlmodel import Field, SQLModel, select
from sqlmodel.sql.expression import SelectOfScalar

BY_DATABASE: dict[str, Any] = {"server_default": FetchedValue()}
"""Of a column: the database sets it where an insert leaves it out."""

TIMESTAMPTZ = DateTime(timezone=True)


class Mapped(SQLModel):
    """A table or view of schema app. What the database sets is fetched in the statement that made it, never later."""

    __table_args__: ClassVar[Any] = {"schema": "app"}
    __mapper_args__: ClassVar[dict[str, Any]] = {"eager_defaults": True}


class Apart(SQLModel, registry=registry()):
    """In a registry and metadata of ours: an application's own ``User``, and its Alembic, never meet these mappings.

    Its tables refer to ours by the column, ``ForeignKey(User.id)``: a name is looked for in the application's metadata.
    """


class Timestamped(SQLModel):
    """When a row was made and last changed, by the database's clock."""

    created_at: datetime = Field(default=None, sa_type=TIMESTAMPTZ, sa_column_kwargs=BY_DATABASE)
    updated_at: datetime = Field(
        default=None, sa_type=TIMESTAMPTZ, sa_column_kwargs={**BY_DATABASE, "server_onupdate": FetchedValue()}
    )


class _Owned(Mapped):
    """A row that belongs to one user, or to one organization.

    In the database the key is ``(owner_id, id)``; here ``id`` alone, because a policy supplies the owner: so
    ``session.get(Todo, id)`` finds one's own row, and another user's id looks like an unknown one. It is made here, the
    one default that is repeated in Python: 50 new rows are one statement then.
    """

    id: UUID = Field(default_factory=uuid4, primary_key=True)


class Owned(_Owned):
    """A row that belongs to one user. Inherit with ``table=True`` for every table whose rows are owned."""

    owner_id: UUID = Field(default=None, sa_column_kwargs=BY_DATABASE)


class BigintOwned(_Owned):
    """A row that belongs to one user, where users are known by numbers (USERSCOPE_USER_ID=bigint)."""

    owner_id: int = Field(default=None, sa_type=BigInteger, sa_column_kwargs=BY_DATABASE)


class TextOwned(_Owned):
    """A row that belongs to one user, where users are known by texts (USERSCOPE_USER_ID=text)."""

    owner_id: str = Field(default=None, sa_type=Text, sa_column_kwargs=BY_DATABASE)


class OrganizationOwned(_Owned):
    """A row that belongs to an organization. In the database the key is ``(organization_id, id)``.

    ``created_by`` is who made it: a bare id, which outlives the account.
    """

    organization_id: UUID = Field(default=None, sa_column_kwargs=BY_DATABASE)
    created_by: UUID = Field(default=None, sa_column_kwargs=BY_DATABASE)


def answered_by[T: Mapped](model: type[T], function: FunctionElement[Any]) -> SelectOfScalar[T]:
    """Select what a function with parameters answers, as rows of ``model``: such a function reads what is asked for.

    ``answered_by(Note, func.app.notes_page(20))``. Conditions may be added: they narrow what the function answered.
    """
    columns = inspect(model, raiseerr=True).local_table.columns
    rows = function.table_valued(*(column.name for column in columns), name=model.__tablename__)
    return select(aliased(model, rows, adapt_on_names=True))
