"""The Python side of a new table: its class, and what clients send and see."""

import keyword
import re
from collections.abc import Iterable, Mapping, Sequence

from userscope.errors import ConfigurationError
from userscope.generate.columns import Column
from userscope.generate.text import Text

# Of each type: as Python reads it, as clients send it, and the column's own type where SQLModel would choose another.
_TYPES = {
    "text": ("str", "models.Text", "sqlalchemy.Text"),
    "integer": ("int", "models.Integer", None),
    "bigint": ("int", "models.BigInteger", "sqlalchemy.BigInteger"),
    "numeric": ("decimal.Decimal", "models.Number", "sqlalchemy.Numeric"),
    "boolean": ("bool", "pydantic.StrictBool", None),
    "date": ("datetime.date", "models.Day", None),
    "timestamptz": ("datetime.datetime", "models.Moment", "models.TIMESTAMPTZ"),
    "uuid": ("uuid.UUID", "uuid.UUID", None),
    "jsonb": ("Any", "models.Json", "postgresql.JSONB"),
}
# What the module itself names: a column of that name would hide it from the lines below.
_NAMES = {
    "datetime",
    "decimal",
    "uuid",
    "pydantic",
    "sqlalchemy",
    "sqlmodel",
    "postgresql",
    "models",
    "str",
    "int",
    "bool",
}
_IMPORTS = (
    ("datetime.", "import datetime"),
    ("decimal.", "import decimal"),
    ("uuid.", "import uuid"),
    (r"Annotated|\bAny", "from typing import {}"),
    ("", ""),
    ("pydantic.", "import pydantic"),
    ("sqlalchemy.", "import sqlalchemy"),
    ("sqlmodel.", "import sqlmodel"),
    ("postgresql.", "from sqlalchemy.dialects import postgresql"),
    ("SelectOfScalar", "from sqlmodel.sql.expression import SelectOfScalar"),
    ("", ""),
    ("models.", "from userscope import models"),
)


def refuse_taken(one: str, columns: Sequence[str]) -> None:
    """Raise ConfigurationError for names that Python, pydantic or SQLModel keep for themselves."""
    from sqlmodel import SQLModel

    if keyword.iskeyword(_class(one)):
        raise ConfigurationError(f'"{_class(one)}" is a word that Python keeps for itself', hint="Say --one otherwise.")
    for name in columns:
        if keyword.iskeyword(name) or name in _NAMES or hasattr(SQLModel, name):
            raise ConfigurationError(
                f'"{name}" is a name that the class of the table needs for itself', hint="Choose another one."
            )


def text(columns: Sequence[Column], plain: Mapping[str, str], *, fenced: bool) -> str:
    """Return the module."""
    one = plain["one"]
    known = {
        **plain,
        "Class": _class(one),
        "one_name": re.sub("[ -]", "_", one),
        "Many": plain["many"].capitalize(),
        "mapped": _lines(map(_mapped, columns)),
        "created": _lines(map(_created, columns)),
        "updated": _lines(map(_updated, columns)),
        "shown": _lines(f"{c.name}: {_noneable(_TYPES[c.type][0], c)}" for c in columns),
        "imports": "",
        "answers": "",
    }
    if fenced:
        known["answers"] = Text.read("fence.mapping.py.txt").substitute(known)
    written = Text.read("mapping.py.txt").substitute(known)
    return Text.read("mapping.py.txt").substitute(known | {"imports": _imports(written)})


def _imports(code: str) -> str:
    lines = []
    for use, line in _IMPORTS:
        found = sorted(set(re.findall(rf"\b(?:{use})", code))) if use else [""]
        if found:
            lines.append(line.format(", ".join(found)))
    return re.sub("\n{3,}", "\n\n", "\n".join(lines)).strip()


def _class(one: str) -> str:
    return "".join(word[0].upper() + word[1:] for word in re.split("[ -]+", one) if word)


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)


def _noneable(kind: str, column: Column) -> str:
    return f"{kind} | None" if column.nullable and kind != "Any" else kind


def _sent(column: Column) -> str:
    kind = _TYPES[column.type][1]
    if column.length:
        kind = f"Annotated[{kind}, pydantic.Field(max_length={column.length})]"
    return f"{kind} | None" if column.nullable else kind


def _mapped(column: Column) -> str:
    python, _, stored = _TYPES[column.type]
    if column.type == "jsonb":
        stored = "postgresql.JSONB(none_as_null=True)" if column.nullable else stored
    words = ["default=None"] if column.nullable or column.default else []
    words += [f"sa_type={stored}"] if stored else []
    words += [f"nullable={column.nullable}"] if python == "Any" else []
    words += ["sa_column_kwargs=models.BY_DATABASE"] if column.default else []
    value = f" = sqlmodel.Field({', '.join(words)})" if words else ""
    return f"{column.name}: {_noneable(python, column)}{value}"


def _created(column: Column) -> str:
    value = " = None" if column.nullable else " = False" if column.default else ""
    return f"{column.name}: {_sent(column)}{value}"


def _updated(column: Column) -> str:
    return f"{column.name}: {_sent(column)} = {'None' if column.nullable else 'sqlmodel.Field(default=None)'}"
