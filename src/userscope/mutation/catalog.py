"""What a database consists of, read in one round trip."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import psycopg

_QUERY = files(__package__).joinpath("catalog.sql").read_text(encoding="utf-8")

type Json = dict[str, Any]


@dataclass(frozen=True)
class Catalog:
    """The document that catalog.sql makes; its names are quoted, ready to stand in a statement."""

    content: Json

    @classmethod
    def read(cls, connection: psycopg.Connection, leave_out: list[str]) -> "Catalog":
        """Read all schemas but PostgreSQL's own and ``leave_out``."""
        with connection.transaction():
            connection.execute("set local search_path = pg_catalog, pg_temp")  # so that names come with their schema
            row = connection.execute(_QUERY.encode(), [leave_out]).fetchone()
        return cls(row[0] if row else {})

    @property
    def roles(self) -> list[str]:
        """The roles that policies name: what services act as."""
        return list(self.content["roles"])

    @property
    def tables(self) -> list[Json]:
        """The tables, by name."""
        return list(self.content["tables"])

    @property
    def protected(self) -> list[Json]:
        """The tables that have a policy or row-level security."""
        return [table for table in self.tables if table["enabled"] or table["policies"]]

    @property
    def functions(self) -> list[Json]:
        """The functions, by name and arguments."""
        return list(self.content["functions"])

    def policies(self) -> Iterator[tuple[Json, Json]]:
        """Each policy, with its table."""
        for table in self.tables:
            for policy in table["policies"]:
                yield table, policy
