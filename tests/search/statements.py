"""Statements that Alice sends: reads, locks and writes of one table, with others beside it."""

from random import Random

from tests.search.conditions import Conditions
from tests.search.words import Table, Words


class Statements:
    """Writes statements by chance on ``tables``, of which others may stand beside the one aimed at."""

    def __init__(self, chance: Random, words: Words, tables: tuple[Table, ...]) -> None:
        self._chance, self._words, self._tables = chance, words, tables
        self._conditions = Conditions(chance, words)

    def statement(self) -> str:
        """One statement, of any kind."""
        table = self._chance.choice(self._tables)
        kinds = [(55, self.select), (6, self._locked)]
        if table.updates:
            kinds += [(12, self._update), (6, self._merge)]
        if table.inserts:
            kinds += [(6, self._delete), (8, self._insert), (4, self._modifying)]
        (kind,) = self._chance.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])
        return kind(table)

    def select(self, table: Table | None = None) -> str:
        """A statement that reads."""
        table = table or self._chance.choice(self._tables)
        kinds = (
            (40, self._plain), (8, self._aggregate), (6, self._window), (14, self._joined), (8, self._union),
            (6, self._nested), (4, self._with), (3, self._lateral), (3, self._ordered),
        )  # fmt: skip
        (kind,) = self._chance.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])
        return kind(table)

    def parameterised(self) -> tuple[str, str, str]:
        """A statement with a parameter that counts: the parameter's type, the statement, a value."""
        table = self._chance.choice(self._tables)
        column = self._chance.choice(table.names)
        form = self._chance.choice(
            ("t.{0} = $1", "t.{0} >= $1 and t.{0} <= $1", "t.{0} = any (array[$1])", "t.{0} is not distinct from $1")
        )
        loud = self._chance.choice(
            ("", " and (select 1 / (select 0)) = 1", " or (select pg_try_advisory_xact_lock(8))")
        )
        statement = f"select {self._some(table, 't')} from {table.name} as t where {form.format(column)}{loud}"
        return table.columns[column], statement, self._conditions.needle(table, column)

    def _rows(self, table: Table) -> str:
        """What a statement reads from: the table, or a function that answers rows of it."""
        if not table.functions or self._chance.random() > (0.15 if table.updates else 0.5):
            return table.name
        call = self._chance.choice(table.functions)
        needles = {name: self._conditions.needle(table, name) for name in ("id", "owner_id", "created_at")}
        return call.format(**needles)

    def _where(self, table: Table, alias: str, depth: int = 2) -> str:
        return f" where {self._conditions.condition(table, alias, depth)}" if self._chance.random() < 0.93 else ""

    def _some(self, table: Table, alias: str) -> str:
        columns = self._chance.sample(table.names, self._chance.randint(1, 3))
        return self._chance.choice(
            ("1", ", ".join(f"{alias}.{column}" for column in columns), f"{alias}.*", "count(*)")
        )

    def _order(self, table: Table, alias: str) -> str:
        columns = self._chance.sample(table.names, self._chance.randint(1, 2))
        if self._chance.random() < 0.3:
            columns = list(table.key)
        down = self._chance.choice(("", "", " desc", " desc nulls last"))
        return " order by " + ", ".join(f"{alias}.{column}{down}" for column in columns)

    def _limit(self) -> str:
        return self._chance.choice(
            ("", "", "", " limit 1", " limit 3", " offset 2", " limit 2 offset 1", " fetch first 2 rows with ties")
        )

    def _plain(self, table: Table) -> str:
        return f"select {self._some(table, 't')} from {self._rows(table)} as t{self._where(table, 't')}"

    def _ordered(self, table: Table) -> str:
        order = self._order(table, "t")
        return f"select {table.names[1]} from {self._rows(table)} as t{self._where(table, 't')}{order}{self._limit()}"

    def _locked(self, table: Table) -> str:
        lock = self._chance.choice(("update", "no key update", "share", "key share"))
        wait = self._chance.choice(("", "", " nowait", " skip locked"))
        order = self._chance.choice(("", self._order(table, "t")))
        return f"select {table.names[1]} from {table.name} as t{self._where(table, 't')}{order} for {lock}{wait}"

    def _aggregate(self, table: Table) -> str:
        column, by = self._chance.sample(table.names, 2)
        what = self._chance.choice((
            "count(*)", f"max(t.{column}::text)", f"string_agg(t.{column}::text, ',' order by t.{column})",
            f"count(distinct t.{column})", f"array_agg(t.{column})",
            f"count(*) filter (where {self._conditions.condition(table, 't', 1)})",
        ))  # fmt: skip
        group = self._chance.choice(("", f" group by t.{by}", f" group by rollup (t.{by})"))
        having = f" having {self._chance.choice(('count(*) > 1', 'count(*) = 0', 'max(t.' + column + '::text) > ' + chr(39) + 'b' + chr(39)))}"
        having = having if self._chance.random() < 0.3 else ""
        head = f"t.{by}, " if group.startswith(" group by t") and self._chance.random() < 0.5 else ""
        return f"select {head}{what} from {self._rows(table)} as t{self._where(table, 't')}{group}{having}"

    def _window(self, table: Table) -> str:
        column, by = self._chance.sample(table.names, 2)
        call = self._chance.choice(
            (
                "row_number()",
                f"lag(t.{column})",
                "count(*)",
                f"first_value(t.{column})",
                f"max(t.{column}::text)",
                "ntile(3)",
            )
        )
        window = (
            f"(partition by t.{by} order by t.{column})"
            if self._chance.random() < 0.5
            else f"(order by t.{column}, t.{by})"
        )
        inner = (
            f"select t.{column}, {call} over {window} as w from {self._rows(table)} as t{self._where(table, 't', 1)}"
        )
        return inner if self._chance.random() < 0.5 else f"select * from ({inner}) as i where i.w is not null"

    def _joined(self, table: Table) -> str:
        other = self._chance.choice(self._tables)
        column = self._chance.choice(table.names)
        fitting = [name for name, kind in other.columns.items() if kind == table.columns[column]]
        match = self._chance.choice(fitting)
        kind = self._chance.choice(("join", "left join", "right join", "full join", "cross join"))
        on = self._chance.choice((f"t.{column} = o.{match}", f"t.{column} < o.{match}", f"t.{column} = o.{match} and "
                                  + self._conditions.condition(other, "o", 1)))  # fmt: skip
        beside = self._chance.choice((
            f"{other.name} as o", f"{self._rows(other)} as o",
            f"(values ({self._conditions.value(table, column)}::{table.columns[column]})) as o ({match})",
            f"(select * from {self._rows(other)} as i{self._where(other, 'i', 1)}) as o",
        ))  # fmt: skip
        if beside.startswith("(values"):
            on = f"t.{column} = o.{match}"
        tail = "" if kind == "cross join" else f" on {on}"
        some = self._chance.choice((f"t.{column}, o.{match}", "count(*)", "1"))
        return f"select {some} from {self._rows(table)} as t {kind} {beside}{tail}{self._where(table, 't', 1)}"

    def _union(self, table: Table) -> str:
        column = self._chance.choice(table.names)
        other = self._chance.choice([each for each in self._tables if column in each.columns])
        link = self._chance.choice(("union all", "union all", "union", "intersect", "except", "except all"))
        inner = (f"select t.{column} from {self._rows(table)} as t{self._where(table, 't', 1)} {link} "
                 f"select o.{column} from {self._rows(other)} as o{self._where(other, 'o', 1)}")  # fmt: skip
        value = self._conditions.value(table, column)
        text = column in ("title", "name")
        some = self._conditions.condition(_of(table, column), "u", 1) if text else f"u.{column} is not null"
        outer = self._chance.choice((f"u.{column} = {value}", f"u.{column} >= {value}", some))
        return inner if self._chance.random() < 0.3 else f"select u.{column} from ({inner}) as u where {outer}"

    def _nested(self, table: Table) -> str:
        inner = f"select * from {self._rows(table)} as i{self._where(table, 'i', 1)}{self._chance.choice(('', self._order(table, 'i')))}{self._limit_plain()}"
        return f"select {self._some(table, 't')} from ({inner}) as t{self._where(table, 't', 1)}"

    def _limit_plain(self) -> str:
        return self._chance.choice(("", "", " offset 0", " limit 5"))

    def _with(self, table: Table) -> str:
        kept = self._chance.choice(("", "materialized ", "not materialized "))
        return (f"with w as {kept}(select * from {self._rows(table)} as i{self._where(table, 'i', 1)}) "
                f"select {self._some(table, 't')} from w as t{self._where(table, 't', 1)}")  # fmt: skip

    def _lateral(self, table: Table) -> str:
        column = self._chance.choice(table.names)
        return (f"select 1 from {self._rows(table)} as t, lateral (select from {self._rows(table)} as i where i.{column} = t.{column} and "
                f"{self._conditions.condition(table, 'i', 1)}{self._limit_plain()}) as l{self._where(table, 't', 1)}")  # fmt: skip

    def _sets(self, table: Table, alias: str = "t") -> str:
        columns = self._chance.sample(table.updates, self._chance.randint(1, min(2, len(table.updates))))
        return ", ".join(
            f"{column} = {self._chance.choice((self._conditions.value(table, column), f'{alias}.{column}', 'default'))}"
            for column in columns
        )

    def _returning(self, table: Table, alias: str = "t") -> str:
        return self._chance.choice(("", f" returning {alias}.{self._chance.choice(table.updates)}"))

    def _update(self, table: Table) -> str:
        other = self._chance.choice(self._tables)
        beside = self._chance.choice(("", "", f" from {other.name} as o", " from (values (1), (2)) as o (n)"))
        where = self._where(table, "t")
        if beside.endswith(" as o") and where:
            where += f" and o.{self._chance.choice(other.names)} is not null"
        return f"update {table.name} as t set {self._sets(table)}{beside}{where}{self._returning(table)}"

    def _delete(self, table: Table) -> str:
        beside = self._chance.choice(("", "", " using (values (1), (2)) as o (n)", f" using {table.name} as o"))
        return f"delete from {table.name} as t{beside}{self._where(table, 't')}{self._returning(table)}"

    def _insert(self, table: Table) -> str:
        """With an id, since one that the database draws would differ."""
        columns = [*table.inserts[:2], *self._chance.sample(table.inserts[2:], min(1, len(table.inserts) - 2))]
        if self._chance.random() < 0.1:
            columns.append(table.key[0])

        def values() -> str:
            return ", ".join(self._conditions.value(table, column) for column in columns)

        copied = ", ".join(
            self._chance.choice(("t.id", "md5(t.id::text)::uuid")) if column == "id" else f"t.{column}"
            for column in columns
        )
        source = self._chance.choice((
            f"values ({values()})", f"values ({values()}), ({values()})",
            f"select {copied} from {table.name} as t{self._where(table, 't', 1)}",
            f"select {copied} from {table.name} as t{self._where(table, 't', 1)}",
            f"select {values()} where exists (select from {table.name} as t{self._where(table, 't', 1)})",
        ))  # fmt: skip
        key = ", ".join(table.key)
        conflict = self._chance.choice((
            "", "", " on conflict do nothing", f" on conflict ({key}) do nothing",
            f" on conflict ({key}) do update set {table.inserts[1]} = 'new' where {self._conditions.condition(table, 'n', 1)}",
        ))  # fmt: skip
        return f"insert into {table.name} as n ({', '.join(columns)}) {source}{conflict}{self._returning(table, 'n')}"

    def _merge(self, table: Table) -> str:
        column = self._chance.choice(table.names)
        source = self._chance.choice((
            f"(values ({self._conditions.value(table, column)}::{table.columns[column]})) as s ({column})",
            f"{table.name} as s",
        ))  # fmt: skip
        on = self._chance.choice(
            (f"t.{column} = s.{column}", f"t.{column} < s.{column}", self._conditions.condition(table, "t", 1))
        )
        acts = ["do nothing", f"update set {self._sets(table)}"] + (["delete"] if table.inserts else [])
        extra = f" and {self._conditions.condition(table, 't', 1)}" if self._chance.random() < 0.5 else ""
        clauses = [f"when matched{extra} then {self._chance.choice(acts)}"]
        if self._chance.random() < 0.4:
            clauses.append("when not matched then do nothing")
        if self._chance.random() < 0.2 and self._words.version >= 17:
            clauses.append(f"when not matched by source{extra} then {self._chance.choice(acts)}")
        return f"merge into {table.name} as t using {source} on {on} {' '.join(clauses)}"

    def _modifying(self, table: Table) -> str:
        inner = self._chance.choice((
            f"delete from {table.name} as t{self._where(table, 't', 1)} returning t.{table.inserts[1]}",
            f"update {table.name} as t set {self._sets(table)}{self._where(table, 't', 1)} returning t.{table.inserts[1]}",
        ))  # fmt: skip
        return (
            f"with w as ({inner}) select {self._chance.choice(('count(*)', f'w.{table.inserts[1]}'))} from w"
            + self._chance.choice(("", f" where exists (select from {table.name} as t{self._where(table, 't', 1)})"))
        )


def _of(table: Table, column: str) -> Table:
    """The table as if it had that column alone."""
    return Table(table.name, {column: table.columns[column]}, (), fenced=table.fenced)
