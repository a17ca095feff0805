"""Team todos: schema/deploy/team_todos.sql as Python sees it. Written by "userscope new-table"; edit it as you like."""

import datetime
import uuid
from typing import Annotated

import pydantic
import sqlalchemy
import sqlmodel

from userscope import models


class TeamTodo(models.OrganizationOwned, models.Timestamped, table=True):
    """A team todo. It belongs to the organization that the session acts in."""

    __tablename__ = "team_todos"

    title: str = sqlmodel.Field(sa_type=sqlalchemy.Text)
    completed: bool = sqlmodel.Field(default=None, sa_column_kwargs=models.BY_DATABASE)


class TeamTodoCreate(models.Input):
    """What is needed to add a team todo."""

    title: Annotated[models.Text, pydantic.Field(max_length=200)]
    completed: pydantic.StrictBool = False


class TeamTodoUpdate(models.Input):
    """What may be changed; what is left out stays: ``sqlmodel_update(changes.model_dump(exclude_unset=True))``."""

    title: Annotated[models.Text, pydantic.Field(max_length=200)] = sqlmodel.Field(default=None)
    completed: pydantic.StrictBool = sqlmodel.Field(default=None)


class TeamTodoPublic(sqlmodel.SQLModel):
    """A team todo as members see it."""

    id: uuid.UUID
    title: str
    completed: bool
    created_at: datetime.datetime
    updated_at: datetime.datetime
