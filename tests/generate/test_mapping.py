"""The class of a new table works as those of userscope do, behind a fence as without one."""

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError
from sqlalchemy import inspect
from sqlmodel import col, delete, select, update

from tests.connection.conftest import make_user, settings_for
from tests.generate.conftest import Written
from userscope.database import AsyncDatabase, Database
from userscope.errors import ConfigurationError, Conflict, InvalidValue
from userscope.generate.table import Table
from userscope.testing.proxy import Proxy

MOMENT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
FULL: dict[str, Any] = {
    "code": "ab", "c_text": "ä" * 10_000, "c_integer": 2**31 - 1, "c_bigint": -(2**63), "c_numeric": Decimal("1e30"),
    "c_date": date.max, "c_timestamptz": MOMENT, "c_uuid": UUID(int=7), "c_jsonb": {"a": [1, None, "é"]},
}  # fmt: skip


def test_all_types(things: Written) -> None:
    """What a client may send can be stored, and comes back as it was; what the database sets is there at once."""
    user = make_user(things.database)
    given = things.ThingCreate(**FULL)
    with Database(settings_for(things.database.url("service"))) as db:
        with db.session(user) as session:
            thing = things.Thing(**given.model_dump())
            session.add(thing)
            session.flush()
            assert (thing.owner_id, thing.created_at, thing.c_boolean) == (user, thing.updated_at, False)
            full = {f"n{name[1:]}": value for name, value in FULL.items() if name.startswith("c_")} | {
                "n_boolean": True
            }
            other = things.Thing(**given.model_dump() | full)
            session.add(other)
        with db.reader(user) as session:
            for made in (thing, other):
                read = session.get(things.Thing, made.id)
                assert things.ThingPublic.model_validate(read) == things.ThingPublic.model_validate(made)
                assert {name: getattr(read, name) for name in FULL} == FULL
            assert {name: getattr(read, name) for name in full} == full
    assert [str(column) for column in inspect(things.Thing).primary_key] == [f"{things.table.name}.id"]


def test_life_of_a_row(things: Written) -> None:
    """Added many at a time, changed, selected for update, deleted by statement and by object: each in one trip."""
    alice, bob = make_user(things.database), make_user(things.database)
    with Proxy(things.database.url("service")) as proxy, Database(settings_for(proxy.url)) as db:
        with db.reader(alice) as session:
            session.connection().exec_driver_sql("select")
        with proxy.counting() as trips, db.session(alice) as session:
            session.add_all([things.Thing(**FULL) for _ in range(50)])
        assert trips.trips == 2  # one INSERT of fifty rows, and COMMIT
        with db.session(bob) as session:
            session.add(things.Thing(**FULL))
        with db.session(alice) as session:
            first, second, *rest = session.exec(select(things.Thing).with_for_update()).all()
            assert len(rest) == 48
            first.sqlmodel_update(things.ThingUpdate(code="z").model_dump(exclude_unset=True))
            session.delete(second)
            session.flush()
            assert first.updated_at > first.created_at
        with db.session(alice) as session:
            change = update(things.Thing).where(col(things.Thing.code) == "z").values(c_integer=5)
            assert session.exec(change.returning(col(things.Thing.c_integer))).all() == [(5,)]
            gone = session.exec(delete(things.Thing).where(col(things.Thing.code) != "z"))
            assert gone.rowcount == 48
        with db.reader(alice) as session:
            assert [thing.c_integer for thing in session.exec(select(things.Thing))] == [5]
    assert _count(things, bob) == 1


def test_async(things: Written) -> None:
    """The same in an AsyncDatabase."""
    user = make_user(things.database)

    async def work() -> list[str]:
        async with AsyncDatabase(settings_for(things.database.url("service"))) as db:
            async with db.session(user) as session:
                session.add_all([things.Thing(**FULL | {"code": code}) for code in ("a", "b", "c")])
                await session.flush()
                one = (await session.exec(select(things.Thing).where(things.Thing.code == "a"))).one()
                one.code = "d"
                await session.flush()
                await session.delete((await session.exec(select(things.Thing).where(things.Thing.code == "b"))).one())
            async with db.reader(user) as session:
                return [thing.code for thing in await session.exec(select(things.Thing).order_by(things.Thing.code))]

    assert asyncio.run(work()) == ["c", "d"]


def test_refusals(things: Written) -> None:
    """The same id twice is a Conflict, what is too long an InvalidValue in the constraint's own words."""
    user, same = make_user(things.database), uuid4()
    with Database(settings_for(things.database.url("service"))) as db:
        with pytest.raises(Conflict) as conflict, db.session(user) as session:
            session.add(things.Thing(id=same, **FULL))
            session.flush()
            session.expunge_all()
            session.add(things.Thing(id=same, **FULL))
        assert conflict.value.detail == "You already have a thing with this id."
        with pytest.raises(InvalidValue) as invalid, db.session(user) as session:
            session.add(things.Thing(**FULL | {"code": "abc"}))
        assert invalid.value.detail == "The code of a thing has at most 2 characters."
    assert _count(things, user) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("code", "abc"), ("code", "\0"), ("c_text", "x" * 10_001), ("c_integer", 2**31), ("c_integer", True),
        ("c_bigint", 2**63), ("c_numeric", "NaN"), ("c_numeric", "Infinity"), ("c_boolean", "yes"), ("c_date", 0),
        ("c_date", "2026-02-30"), ("c_timestamptz", "2026-01-01T00:00:00"), ("c_timestamptz", 0), ("c_uuid", "x"),
        ("c_jsonb", {"a\0": 1}), ("c_jsonb", ["\ud800"]), ("c_jsonb", float("nan")), ("n_text", 5), ("owner_id", "x"),
    ],
)  # fmt: skip
def test_inputs(classes: ModuleType, name: str, value: object) -> None:
    """What cannot be stored is refused where it comes in, when a row is made and when it is changed."""
    with pytest.raises(ValidationError):
        classes.ThingCreate(**FULL | {name: value})
    with pytest.raises(ValidationError):
        classes.ThingUpdate(**{name: value})
    assert classes.ThingUpdate().model_dump(exclude_unset=True) == {}


def test_same_as_the_table(things: Written) -> None:
    """The class says of each column what the catalog says."""
    with things.database.superuser_connection() as connection:
        found = connection.execute(
            "select attname::text, not attnotnull, format_type(atttypid, atttypmod) from pg_attribute "
            "where attrelid = %s::regclass and attnum > 0",
            [things.home],
        ).fetchall()
    dialect = Database(settings_for(things.database.url("service"))).engine.dialect
    mapped = things.Thing.__table__.columns
    assert sorted((column.name, column.nullable, _kind(column, dialect)) for column in mapped) == sorted(found)


def _kind(column: Any, dialect: Any) -> str:
    return str(column.type.compile(dialect)).lower().replace("varchar", "text")


def _count(things: Written, user: UUID) -> int:
    with things.database.superuser_connection() as connection:
        query = f"select count(*)::int from {things.home} where owner_id = %s"
        return int(connection.execute(query.encode(), [user]).fetchone()[0])  # type: ignore[index]  # a row


@pytest.mark.parametrize(
    ("columns", "one", "message"),
    [
        (["metadata:jsonb"], None, '"metadata" is a name that the class of the table needs for itself'),
        (["uuid:uuid"], None, '"uuid" is a name that the class'),
        (["lambda:text"], None, '"lambda" is a name that the class'),
        (["body:text"], "none", '"None" is a word that Python keeps for itself'),
    ],
)
def test_names(columns: list[str], one: str | None, message: str) -> None:
    """Names that the class cannot have are refused, before anything is written."""
    with pytest.raises(ConfigurationError, match=message):
        Table.of("notes", columns, one)
