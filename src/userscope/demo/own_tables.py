"""Tables of an application's own, filled for people: the catalog says whose rows are, and what may stand in them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Self

from userscope.demo.sample_values import Person, SampleValues
from userscope.errors import ConfigurationError
from userscope.identity import parse_user_id
from userscope.login import Login
from userscope.probe import statements
from userscope.probe.catalog import read
from userscope.probe.catalog.model import Relation, Rights
from userscope.probe.filling import Filling, parents_first, said
from userscope.probe.meaning import Meaning
from userscope.probe.stage import Stage
from userscope.probe.worlds import Row
from userscope.settings import Settings

_OWNED = re.compile(r"app\.current_user_(?:id|key)\(")
_OWNER = re.compile(r"\"?(\w+)\"?\)?(?:::[\w ]+)? = \(*\s*(?:SELECT\s+)?\(*app\.current_user_(?:id|key)\(")
_OURS = {"accounts", "invitations", "jwks", "members", "organizations", "sessions", "todos", "users", "verifications"}
_LIMIT = 20.0
"""Seconds that one row may take."""


class NoTable(ConfigurationError):
    """A project has no table that could be filled."""

    def __init__(self) -> None:
        super().__init__(
            "there is no table with rows of users' own",
            detail="None has a policy that asks who acts, app.current_user_key() for one, and lets services insert.",
            hint='Make one, "userscope new-table", or protect one that exists, "userscope protect".',
        )


class OwnTables:
    """The tables that a project has beside ours, and whose rows belong to a user.

    People and what is referred to are put in as the admin, rows that are somebody's as a service that acts for them.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stack = ExitStack()
        self._admin = self._stage(Login.ADMIN)
        self._service = self._stage(Login.SERVICE)
        catalog = read.read(self._admin.connection)
        self.values = SampleValues(catalog, Meaning(catalog))
        self._filling = Filling(self._admin, self.values)
        self._rights = read.rights(self._admin.connection, catalog, settings.url(Login.SERVICE).user)
        self.failures: dict[str, str] = {}
        """Tables that no row could be put into, and what PostgreSQL said."""

    def _stage(self, login: Login) -> Stage:
        stage = Stage(self.settings.url(login), _LIMIT)
        self._stack.callback(stage.close)
        return stage

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def tables(self) -> Sequence[Relation]:
        """Those that a service may insert into for a user, parents first."""
        return [
            table
            for table in parents_first(self.values.catalog.tables)
            if not _is_ours(table)
            and not self._is_of_people(table)
            and self.rights(table).insert
            and table.secured
            and any(_OWNED.search(policy.text) for policy in table.policies)
        ]

    def named(self, name: str) -> Relation:
        """Return one of them by its name, with its schema or without. Raises ConfigurationError where there is none."""
        for table in self.tables:
            if name in (table.sql, f"{table.schema}.{table.name}", table.name):
                return table
        known = ", ".join(table.sql for table in self.tables)
        raise ConfigurationError(
            f'"{name}" is no table with rows of users\' own',
            detail="A policy of it asks app.current_user_id() or app.current_user_key(), and services may insert.",
            hint=f"There are: {known}." if known else 'Make one: "userscope new-table", or "userscope protect".',
        )

    def rights(self, table: Relation) -> Rights:
        """Return what a service may do with a table."""
        return self._rights.get(table.oid) or Rights.none(table.oid)

    def owners(self, table: Relation) -> list[str]:
        """Return the columns that say whose a row is; none where its parent says it."""
        found = {name for policy in table.policies for name in _OWNER.findall(policy.text)}
        return [name for name in table.columns if name in found]

    def _is_of_people(self, table: Relation) -> bool:
        """Whether its rows are the users themselves: who owns a row of another table is one of them."""
        others = (other for other in self.values.catalog.tables if other is not table)
        return any(other.parents.get(name, (None,))[0] is table for other in others for name in self.owners(other))

    @contextmanager
    def acting(self, person: Person) -> Iterator[None]:
        """Act for somebody in a transaction; what is kept of rows before is forgotten."""
        key = self.settings.seal_key
        user_id = parse_user_id(person.user_id, self.settings.userscope_user_id)
        with self._service.connection.transaction():
            seal = key.seal(user_id) if key else ""
            self._service.connection.execute("select app.set_user_id(%s, %s)", [user_id, seal])
            yield

    def clear(self, person: Person) -> None:
        """Delete somebody's rows, where a service may, children first."""
        with self.acting(person):
            for table in reversed(self.tables):
                if self.rights(table).delete:
                    self._service.attempt(statements.delete(table))

    def fill(self, person: Person, rows: int, seed: str = "", only: Relation | None = None) -> int:
        """Put ``rows`` into each table for somebody, and return how many were; ``only`` one, and what it needs."""
        wanted = [table for table in self.tables if only is None or table is only or table in self._above(only)]
        self.values.rows_each = max(rows, 1)
        for table in wanted:
            self._prepare(table, person)
        with self.acting(person):
            return sum(self.put(table, person, number, seed) is not None for table in wanted for number in range(rows))

    def put(self, table: Relation, person: Person, number: int, seed: str) -> Row | None:
        """Put one row in, as the service that acts for somebody; None where it cannot be."""
        self.values.drawn_for(seed, person.user_id, table.sql, number)
        owners, rights = self.owners(table), self.rights(table)
        given = {
            name: person.user_id if name in owners else value
            for name, value in self.values.row(table, person.world, number).items()
            if name in rights.insert and not (name in owners and table.columns[name].default)
        }
        read_back = [name for name in table.columns if name in rights.select]
        returned = ", ".join(f"{table.columns[name].sql}::text" for name in read_back) or "1"
        outcome = self._filling.fitted(self._service, table, person.world, number, given, returned)
        if outcome.error is not None:
            if (table, person.world) not in self.values.rows:  # else it takes no more of one user
                self.failures.setdefault(table.sql, said(outcome.error))
            return None
        self._service.execute("release savepoint tried")  # of thousands, each would make the next one slower
        values = dict.fromkeys(owners, person.user_id) | given
        values |= dict(zip(read_back, outcome.rows[0], strict=True)) if read_back else {}
        row = Row(table, person.world, values, given)
        if not number:
            self.values.rows[table, person.world] = row
        return row

    def _above(self, table: Relation) -> set[Relation]:
        """Return what a table refers to, and what that does."""
        found: set[Relation] = set()
        while more := {up for one in (table, *found) for up, _ in one.parents.values()} - found - {table}:
            found |= more
        return found

    def _prepare(self, table: Relation, person: Person) -> None:
        """See to it that what a table refers to is there: its owner, and what belongs to nobody."""
        owners = self.owners(table)
        for name, (parent, key) in table.parents.items():
            if parent in self.tables or (parent, person.world) in self.values.rows:
                continue
            over = {key: person.user_id} if name in owners else {}
            if found := self._there(parent, person, over):
                self.values.rows[parent, person.world] = found
            elif not _is_ours(parent):
                self._prepare(parent, person)
                self.values.drawn_for(person.user_id, parent.sql)
                if placed := self._filling.put(parent, person.world, 0, over):
                    self.values.rows[parent, person.world] = placed[1]
        for parent, why in self._filling.failures.items():
            self.failures.setdefault(parent.sql, why)

    def _there(self, parent: Relation, person: Person, over: Mapping[str, str]) -> Row | None:
        """Return a row that is there already: the owner's own, or the first of what belongs to nobody."""
        given = [f"{parent.columns[name].sql} = {statements.literal(value)}" for name, value in over.items()]
        row = parent.sql.rpartition(".")[2]
        rows = self._admin.rows(
            "select (select jsonb_object_agg(key, value) "  # noqa: S608  # names of the catalog, and a literal
            f"from jsonb_each_text(to_jsonb({row}))) from {parent.sql} where {' and '.join(given) or 'true'} limit 1"
        )
        return Row(parent, person.world, rows[0][0], {}) if rows else None


def _is_ours(table: Relation) -> bool:
    return table.schema in ("app_fenced", "app_private") or (table.schema == "app" and table.name in _OURS)
