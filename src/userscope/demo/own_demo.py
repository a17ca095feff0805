"""Two people and a table of a project's own: what each sends, and what PostgreSQL answers."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from userscope.database import Database
from userscope.demo.demo import PEOPLE, Actor, Step
from userscope.demo.own_tables import NoTable, OwnTables
from userscope.demo.sample_values import Person
from userscope.errors import ConfigurationError
from userscope.probe import statements
from userscope.probe.catalog.model import Relation
from userscope.probe.worlds import Row
from userscope.settings import Settings

_ROWS = 2
_PLANTED = ("permission denied for table {}", 'new row violates row-level security policy for table "{}"')


def run(settings: Settings, ids: dict[str, str], name: str | None, report: Callable[[Step], None]) -> dict[str, str]:
    """Run the demonstration on a table, the first that fits without a ``name``; return the two people's ids.

    ``ids`` are those who are to act, where accounts of ours know them.

    Raises ConfigurationError where there is no such table, and where no row can be put in.
    """
    with ExitStack() as stack:
        own = stack.enter_context(OwnTables(settings))
        database = stack.enter_context(Database(settings))
        people = {
            who: Person.of(ids.get(who) or _id(settings, number), who, number) for number, who in enumerate(PEOPLE)
        }
        table, rows = _filled(own, [own.named(name)] if name else own.tables, list(people.values()))
        for who, person in people.items():
            report(Step(who, statements.insert(table, rows[person.user_id].given), "1 row", right=True))
        shown = _Shown(own, table)
        for who, person in people.items():
            actor = Actor(database, who, person.user_id, report)
            (other,) = (row for user_id, row in rows.items() if user_id != person.user_id)
            shown.reaches(actor, rows[person.user_id], other)
        Actor(database, "Nobody", None, report).sends(shown.query, [], "not sent: no user id was given")
        return {who: person.user_id for who, person in people.items()}


def _filled(own: OwnTables, tables: Sequence[Relation], people: Sequence[Person]) -> tuple[Relation, dict[str, Row]]:
    """Put two rows for each into the first table that takes them; return it, and the first row of each."""
    if not tables:
        raise NoTable
    for table in tables:
        for person in people:
            own.clear(person)
            own.fill(person, _ROWS, "demo", table)
        rows = {each.user_id: row for each in people if (row := own.values.rows.get((table, each.world)))}
        if len(rows) == len(people):
            return table, rows
    raise ConfigurationError(
        f"no row could be put into {tables[0].sql}",
        detail=f"PostgreSQL said: {own.failures.get(tables[0].sql)}.",
        hint="Name another table: userscope demo --table NAME.",
    )


def _id(settings: Settings, number: int) -> str:
    """Return an id of its kind for somebody whom no table of ours knows."""
    uuid = f"00000000-0000-4000-8000-{number + 1:012}"
    return {"uuid": uuid, "bigint": f"{2_147_000_001 + number}", "text": f"userscope_demo_{number + 1}"}[
        settings.userscope_user_id
    ]


class _Shown:
    """What is sent about a table, and the answers that are right."""

    def __init__(self, own: OwnTables, table: Relation) -> None:
        self.table, self.rights, self.owners = table, own.rights(table), own.owners(table)
        told = [name for name in self.rights.select if name not in (*self.owners, *table.primary)]
        self.column = next(iter([*told, *self.rights.select]), None)
        column = table.columns[self.column].sql if self.column else "1"
        self.query = f"select {column} from {table.sql}"  # noqa: S608  # names of the catalog

    def reaches(self, actor: Actor, mine: Row, other: Row) -> None:
        """Read what is one's own, and try every way to the other's row."""
        table, denied = self.table, f"permission denied for table {self.table.name}"
        reads = bool(self.rights.select)
        actor.sends(self.query, [], f"{_ROWS} rows" if reads else denied, counted=True)
        where = statements.where(table, {name: other.values.get(name) for name in self.rights.select})
        if where != "true":
            actor.sends(f"{self.query} where {where}", [], "no rows")
            if self.rights.update:
                changed = next((name for name in self.rights.update if name == self.column), self.rights.update[0])
                actor.sends(statements.update(table, changed, mine.values.get(changed), where), [], "0 rows")
            actor.sends(statements.delete(table, where), [], "0 rows" if self.rights.delete else denied)
        elif not self.rights.delete:
            actor.sends(statements.delete(table), [], denied)
        for name in self.owners:
            planted = {**other.given, name: other.values[name]}
            actor.sends(statements.insert(table, planted), [], *(answer.format(table.name) for answer in _PLANTED))
