"""The mappings are what the database has: names, types, nullability and keys; their one difference is named."""

from typing import Any

import pytest
from sqlalchemy import Table, inspect
from sqlmodel import SQLModel

import userscope.models
from tests.clusters import Database
from tests.connection.conftest import settings_for
from userscope.database import Database as Served
from userscope.models import (
    Account,
    BigintOwned,
    Colleague,
    CurrentOrganization,
    Invitation,
    Member,
    Membership,
    MyInvitation,
    Organization,
    OrganizationOwned,
    Owned,
    TextOwned,
    Todo,
    User,
)
from userscope.models.base import Mapped

TABLES = [Todo, User, Organization, Member, Invitation]
VIEWS = [Account, CurrentOrganization, Membership]
FUNCTIONS = [Colleague, MyInvitation]
OWNED = {Owned, BigintOwned, TextOwned, OrganizationOwned}


def _stored(database: Database, query: str, table: str) -> list[tuple[Any, ...]]:
    """What the catalog says of a table; the query's one value is its oid."""
    with database.superuser_connection() as connection:
        return connection.execute(query.encode(), [f"app.{table}"]).fetchall()


def _table(model: type[SQLModel]) -> Table:
    table = inspect(model).local_table
    assert isinstance(table, Table)
    return table


def _types(database: Database, table: Table) -> dict[str, str]:
    """Each column's type, as the service's dialect writes it."""
    with Served(settings_for(database.url("service"))) as db:
        return {column.name: column.type.compile(dialect=db.engine.dialect).lower() for column in table.columns}


def test_every_table_model_is_here() -> None:
    """A new mapping is tested as soon as it is exported."""
    exported = [getattr(userscope.models, name) for name in userscope.models.__all__]
    assert {kind for kind in exported if isinstance(kind, type) and issubclass(kind, Mapped)} - OWNED == {
        *TABLES,
        *VIEWS,
        *FUNCTIONS,
    }


@pytest.mark.parametrize("model", TABLES)
def test_columns(any_database: Database, model: type[SQLModel]) -> None:
    """Each column has the database's type and says the same about null, in the mapping as in the annotation."""
    table = _table(model)
    stored = _stored(
        any_database,
        "select attname, format_type(atttypid, atttypmod), not attnotnull from pg_attribute "
        "where attrelid = %s::regclass and attnum > 0 and not attisdropped",
        table.name,
    )
    types = _types(any_database, table)
    assert {(column.name, types[column.name], bool(column.nullable)) for column in table.columns} == set(stored)
    optional = {
        name.rstrip("_")
        for name, field in model.model_fields.items()
        if type(None) in getattr(field.annotation, "__args__", ())
    }
    assert optional == {name for name, _, nullable in stored if nullable}


@pytest.mark.parametrize("model", TABLES)
def test_defaults(any_database: Database, model: type[SQLModel]) -> None:
    """What the database sets by itself is left to it; the one default that Python repeats is the id's."""
    table = _table(model)
    stored = _stored(
        any_database,
        "select attname from pg_attrdef join pg_attribute on attrelid = adrelid and attnum = adnum "
        "where adrelid = %s::regclass",
        table.name,
    )
    left_to_it = {column.name for column in table.columns if column.server_default is not None}
    made_here = {column.name for column in table.columns if column.default is not None}
    assert left_to_it | made_here == {name for (name,) in stored}
    assert made_here == ({"id"} if model in (Todo, User) else set())
    changed = {column.name for column in table.columns if column.server_onupdate is not None}
    assert changed == {"updated_at"} & set(table.columns.keys())


def test_account_is_the_users_row(any_database: Database) -> None:
    """A view says nothing about null: Account has the columns of User, and both relations those of the mapping."""
    both = [
        [(column.name, str(column.type), column.nullable) for column in _table(model).columns]
        for model in (Account, User)
    ]
    assert sorted(both[0]) == sorted(both[1])
    query = "select attname, atttypid from pg_attribute where attrelid = %s::regclass and attnum > 0"
    assert _stored(any_database, query, "account") == _stored(any_database, query, "users")
    assert [column.name for column in inspect(Account).primary_key] == ["id"]
    assert {column.name for column in _table(Account).columns if column.default is not None} == set()


@pytest.mark.parametrize("model", [*VIEWS, *FUNCTIONS])
def test_what_answers(any_database: Database, model: type[SQLModel]) -> None:
    """What a view or a function answers has the mapping's columns, of its types."""
    table = _table(model)
    query = (
        "select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = to_regclass(%s) and "
        "attnum > 0 union all select name, format_type(type, null) from pg_proc, "
        "unnest(proargnames, proallargtypes) as result (name, type) where oid = to_regproc(%s)"
    )
    with any_database.superuser_connection() as connection:
        stored = set(connection.execute(query, [f"app.{table.name}"] * 2).fetchall())
    assert _types(any_database, table).items() == stored


@pytest.mark.parametrize("model", [User, Organization, Member, Invitation])
def test_key_of_others(any_database: Database, model: type[SQLModel]) -> None:
    """The key of a table that is not owned is the database's."""
    key = [column.name for column in inspect(model).primary_key]
    assert _key(any_database, _table(model).name) == key == ["id"]


def test_key_of_owned(any_database: Database) -> None:
    """The named difference: the key is (owner_id, id), in the mapping id alone, since a policy adds the owner."""
    assert _key(any_database, "todos") == ["owner_id", "id"]
    assert [column.name for column in inspect(Todo).primary_key] == ["id"]


def _key(database: Database, table: str) -> list[str]:
    rows = _stored(
        database,
        "select attname from pg_constraint, unnest(conkey) with ordinality as part (number, place) "
        "join pg_attribute on attnum = number where conrelid = %s::regclass and attrelid = conrelid "
        "and contype = 'p' order by place",
        table,
    )
    return [name for (name,) in rows]
