"""What every input shares: types that hold just what PostgreSQL's hold, so that what they take can be stored."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import pydantic
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict
from sqlmodel import SQLModel


def storable(text: str) -> str:
    """Return what PostgreSQL can store: a string without NUL. Raises ValueError, which pydantic reports."""
    if "\0" in text:
        raise ValueError("a NUL character cannot be stored")
    return text


# A day from the ends of Python's calendar: what is stored must be readable in whatever time zone a server shows it.
_FIRST = datetime.min.replace(tzinfo=UTC) + timedelta(days=1)
_LAST = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)


def _in_calendar(moment: datetime) -> datetime:
    if not _FIRST <= moment <= _LAST:
        raise ValueError("a moment is in the years 1 to 9999")
    return moment


def _written(value: object) -> object:
    """Refuse what pydantic would take for seconds since 1970: whoever sends a number may mean milliseconds."""
    if isinstance(value, int | float) or (isinstance(value, str) and value.count("-") < 2):
        raise ValueError("a moment is written as 2026-11-22T09:00:00Z")
    return value


def _day(value: object) -> object:
    if isinstance(value, int | float) or (isinstance(value, str) and value.count("-") != 2):
        raise ValueError("a day is written as 2026-11-22")
    return value


def _storable_json(value: Any) -> Any:
    """Refuse what jsonb cannot hold: a NUL character anywhere, and numbers that JSON does not know."""
    if isinstance(value, str):
        storable(value).encode()  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
    elif isinstance(value, float) and (value != value or abs(value) == float("inf")):
        raise ValueError("a number is finite")
    elif isinstance(value, dict):
        for key, item in value.items():
            _storable_json(key), _storable_json(item)
    elif isinstance(value, list):
        for item in value:
            _storable_json(item)
    return value


type Text = Annotated[str, AfterValidator(storable), pydantic.Field(json_schema_extra={"pattern": "^[^\\u0000]*$"})]
"""A string that PostgreSQL can store."""

type Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_in_calendar)]
"""A point in time, with its offset."""

type Day = Annotated[date, BeforeValidator(_day)]
"""A date."""

type Integer = Annotated[int, pydantic.Field(strict=True, ge=-(2**31), le=2**31 - 1)]
"""What ``integer`` holds."""

type BigInteger = Annotated[int, pydantic.Field(strict=True, ge=-(2**63), le=2**63 - 1)]
"""What ``bigint`` holds."""

type Number = Annotated[Decimal, pydantic.Field(allow_inf_nan=False, max_digits=1000)]
"""A ``numeric`` of a sensible length."""

type Json = Annotated[pydantic.JsonValue, AfterValidator(_storable_json)]
"""What ``jsonb`` holds."""


class Input(SQLModel):
    """What a client may send. An unknown field, such as owner_id, is refused rather than ignored."""

    model_config = ConfigDict(extra="forbid")  # type: ignore[assignment]  # SQLModel's own type of it is narrower
