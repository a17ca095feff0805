"""Conditions on rows: what an attacker writes to have it tried on rows that are not hers."""

from random import Random

from tests.search.words import TIME, Table, Words, quoted

_CASTS = {
    "uuid": ("text", "character varying"),
    "text": ("name", "character varying", "character(12)", '"char"', "integer", "uuid", "jsonb", "regclass", "date"),
    "boolean": ("integer", "text"),
    TIME: ("date", "timestamp", "time", "text", "timestamptz(0)"),
}
_LOUD = (
    "(select 1 / (select 0)) = 1",
    "1 / (select 0) = 1",
    "(select set_config('app.user_seal', 'x', true)) <> ''",
    "set_config('app.user_seal', 'x', true) <> ''",
    "(select set_config('app.user_seal', '', true)) is null",
    "(select set_config('app.seen', 'yes', true)) = 'no'",
    "set_config('app.seen', 'yes', true) = 'no'",
    "pg_try_advisory_xact_lock(7)",
    "(select pg_try_advisory_xact_lock(8))",
    "(select pg_current_xact_id()) is not null",
    "(select random()) < 2",
    "(select count(*) from generate_series(1, 3)) = 3",
)
"""What shows, or fails, where it is evaluated at all; a sub-select is free to the planner."""


class Conditions:
    """Writes conditions by chance."""

    def __init__(self, chance: Random, words: Words) -> None:
        self._chance, self._words = chance, words

    def condition(self, table: Table, alias: str, depth: int = 2) -> str:
        """A condition on the rows of ``table``, called ``alias`` there."""
        chance = self._chance
        if depth and chance.random() < 0.35:
            one, other = (self.condition(table, alias, depth - 1) for _ in range(2))
            return chance.choice((
                f"{one} and {other}", f"{one} and {other}", f"({one} or {other})", f"not ({one})",
                f"case when {one} then {other} end", f"case when {one} then {other} else {self._loud()} end",
                f"coalesce({one}, {other})", f"({one}) = ({other})", f"({one}) is not true",
            ))  # fmt: skip
        kinds = (
            (30, self._needle), (20, self._compared), (12, self._among), (8, self._row), (6, self._null), (8, self._between),
            (8, self._expression), (8, self._function), (6, self._leaky), (5, self._cast), (5, self._subscript),
            (4, self._array), (12, self._triggered), (10, self._with_own),
        )  # fmt: skip
        (kind,) = chance.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])
        return kind(table, alias)

    def value(self, table: Table, column: str) -> str:
        """A value for a column."""
        return self._words.literal(self._chance, table.columns[column])

    def needle(self, table: Table, column: str) -> str:
        """A value of somebody else's for a column, in one of the worlds, if there is one."""
        needles = self._words.needles.get(column)
        return (
            f"{quoted(self._chance.choice(needles))}::{table.columns[column]}" if needles else self.value(table, column)
        )

    def _column(self, table: Table, *kinds: str) -> tuple[str, str]:
        column = self._chance.choice([name for name, kind in table.columns.items() if not kinds or kind in kinds])
        return column, table.columns[column]

    def _loud(self) -> str:
        return self._chance.choice(_LOUD)

    def _compared(self, table: Table, alias: str) -> str:
        """Every leakproof operator of a column's type, with the column on either side."""
        column, kind = self._column(table)
        name, left, right = self._chance.choice(self._words.operators[kind])
        if left == kind and (right != kind or self._chance.random() < 0.7):
            return f"{alias}.{column} {name} {self._words.literal(self._chance, right)}"
        return f"{self._words.literal(self._chance, left)} {name} {alias}.{column}"

    def _needle(self, table: Table, alias: str) -> str:
        """What holds for a row of somebody else's in one world, in every form that comes before a policy."""
        chance = self._chance
        column = chance.choice([name for name in table.names if name in self._words.needles])
        kind, text = table.columns[column], chance.choice(self._words.needles[column])
        value, of = f"{quoted(text)}::{kind}", f"{alias}.{column}"
        forms = [f"{of} = {value}", f"{of} >= {value} and {of} <= {value}", f"{of} in ({value}, {value})",
                 f"{of} = any (array[{value}])", f"({of}, true) = ({value}, true)", f"({of}, {of}) >= ({value}, {value}) and {of} <= {value}",
                 f"({of} > {value}) = ({of} < {value})", f"{of} <> {value} is not true", f"{of} is not distinct from {value}",
                 f"array[{of}] = array[{value}]", f"{alias}.{column} between {value} and {value}"]  # fmt: skip
        if kind == "text":
            forms += [f"({quoted('{' + chr(34) + text + chr(34) + ': 1}')}::jsonb)[{of}] is not null", f"starts_with({of}, {value})",
                      f"{of} like {value}", f"md5({of}) = md5({value})", f"{of} ~>=~ {value} and {of} ~<=~ {value}",
                      f"{of}::name = {value}", f"{of} ^@ {value}"]  # fmt: skip
        return chance.choice(forms)

    def _leaky(self, table: Table, alias: str) -> str:
        column, kind = self._column(table, "text", TIME)
        name, left, right = self._chance.choice(self._words.leaky[kind])
        if left == kind:
            return f"{alias}.{column} {name} {self._words.literal(self._chance, right)}"
        return f"{self._words.literal(self._chance, left)} {name} {alias}.{column}"

    def _among(self, table: Table, alias: str) -> str:
        column, kind = self._column(table)
        values = [self._words.literal(self._chance, kind) for _ in range(self._chance.choice((1, 1, 2, 4)))]
        some = ", ".join(values)
        operator = self._chance.choice(("=", "<>", "<", "<=", ">", ">="))
        return self._chance.choice((
            f"{alias}.{column} in ({some})", f"{alias}.{column} not in ({some})",
            f"{alias}.{column} {operator} any (array[{some}]::{kind}[])",
            f"{alias}.{column} {operator} all (array[{some}]::{kind}[])",
            f"{alias}.{column} = any ({quoted('{' + quoted_item(values[0]) + '}')}::{kind}[])",
            f"{alias}.{column} in (values {', '.join(f'({value}::{kind})' for value in values)})",
        ))  # fmt: skip

    def _row(self, table: Table, alias: str) -> str:
        some = self._chance.sample(table.names, min(self._chance.choice((2, 3)), len(table.names)))
        columns = self._chance.choice((table.key, some))
        left = ", ".join(f"{alias}.{column}" for column in columns)
        right = ", ".join(f"{self.value(table, column)}::{table.columns[column]}" for column in columns)
        operator = self._chance.choice(("=", "<>", "<", "<=", ">", ">=", "is distinct from", "in", "="))
        return f"({left}) in (({right}))" if operator == "in" else f"({left}) {operator} ({right})"

    def _null(self, table: Table, alias: str) -> str:
        column, kind = self._column(table)
        tests = ["is null", "is not null", f"is not distinct from {self._words.literal(self._chance, kind)}"]
        tests += ["is true", "is not true", "is unknown", "is not unknown", ""] if kind == "boolean" else []
        return f"{alias}.{column} {self._chance.choice(tests)}"

    def _between(self, table: Table, alias: str) -> str:
        column, kind = self._column(table)
        low, high = (self._words.literal(self._chance, kind) for _ in range(2))
        return self._chance.choice((
            f"{alias}.{column} between symmetric {low} and {high}",
            f"{alias}.{column} >= {low} and {alias}.{column} < {high}",
            f"{alias}.{column} >= {low} and {alias}.{column} <= {low}",
            f"({alias}.{column} < {low} or {alias}.{column} > {high})",
        ))  # fmt: skip

    def _expression(self, table: Table, alias: str) -> str:
        column, kind = self._column(table)
        other, _ = self._column(table, kind)
        of = f"{alias}.{column}"
        value = self._words.literal(self._chance, kind)
        forms = [f"{of} = {alias}.{other}", f"{of} < {alias}.{other}", f"coalesce({of}, {value}) = {value}",
                 f"nullif({of}, {value}) is null", f"greatest({of}, {value}) = {value}", f"num_nulls({of}) = 1",
                 f"{of} = (select {value}::{kind})", f"hash_record(row({alias}.id)) > 0"]  # fmt: skip
        if kind == "text":
            text = quoted(self._chance.choice(("bob%", "bad%", "b%", "%plan%", "_ob%", "ali%")))
            forms += [f"{of} like {text}", f"{of} ilike {text}", f"length({of}) = {self._chance.randrange(20)}",
                      f"lower({of}) = {value}", f"left({of}, 3) = {value}", f"{of} || '' > {value}",
                      f"{of} collate \"C\" < {value}", f"md5({of}) < 'f'", f"starts_with({of}, {value})",
                      f"1 / (length({of}) - {self._chance.randrange(7, 14)}) >= 0",
                      f"pg_try_advisory_xact_lock(hashtext({of}))", f"set_config('app.seen', {of}, true) is null"]  # fmt: skip
        elif kind == TIME:
            forms += [f"extract(day from {of}) = 2", f"date_trunc('day', {of}) = {value}", f"{of} - interval '1 day' < {value}",
                      f"{of} at time zone 'UTC' < '2031-01-03'", f"isfinite({of})"]  # fmt: skip
        elif kind == "uuid":
            forms += [
                f"uuid_hash({of}) > 0",
                f"{of}::text < {value}::text",
                f"pg_try_advisory_xact_lock(uuid_hash({of}))",
            ]
        return self._chance.choice(forms)

    def _function(self, table: Table, alias: str) -> str:
        """A leakproof function of the server's, called by its name."""
        name, takes, gives = self._chance.choice(self._words.functions)
        fitting = {column: kind for column, kind in table.columns.items() if kind in takes}
        if not fitting:
            return self._compared(table, alias)
        column = self._chance.choice(sorted(fitting))
        at = takes.index(fitting[column])
        arguments = [self._words.literal(self._chance, kind) for kind in takes]
        arguments[at] = f"{alias}.{column}"
        call = f"{name}({', '.join(arguments)})"
        if gives == "boolean":
            return call
        return f"{call} {self._chance.choice(('=', '<', '>', 'is distinct from'))} {self._words.literal(self._chance, gives)}"

    def _cast(self, table: Table, alias: str) -> str:
        column, kind = self._column(table)
        to = self._chance.choice(_CASTS[kind])
        return f"{alias}.{column}::{to} {self._chance.choice(('is not null', f'= {alias}.{column}::{to}'))}"

    def _subscript(self, table: Table, alias: str) -> str:
        """Free to the planner, and leakproof in its eyes."""
        column, kind = self._column(table, "text", "boolean")
        if kind == "boolean":
            return f"(array[true, null])[{alias}.{column}::integer + 1] is null"
        object_ = "{" + f'"{self._chance.choice(self._words.values["text"])}": 1' + "}"
        return f"({quoted(object_)}::jsonb)[{alias}.{column}] is {self._chance.choice(('', 'not '))}null"

    def _array(self, table: Table, alias: str) -> str:
        column, kind = self._column(table)
        value = self._words.literal(self._chance, kind)
        operator = self._chance.choice(("=", "<", ">", "@>", "&&", "<>"))
        return f"array[{alias}.{column}] {operator} array[{value}]::{kind}[]"

    def _triggered(self, table: Table, alias: str) -> str:
        """Something that shows, behind a condition: by CASE, AND or OR."""
        first = self._chance.choice(
            (self._needle, self._needle, self._compared, self._among, self._between, self._subscript)
        )(table, alias)
        return self._chance.choice((
            f"case when {first} then {self._loud()} end", f"{first} and {self._loud()}", f"{self._loud()} and {first}",
            f"({first} or {self._loud()})", f"case when {first} then {self._loud()} else {self._loud()} end",
        ))  # fmt: skip

    def _with_own(self, table: Table, alias: str) -> str:
        """A sub-select over the table itself, of one's own rows or tied to the outer row."""
        column, kind = self._column(table)
        inner = self._chance.choice((f"o.{column} = {alias}.{column}", f"o.{column} < {alias}.{column}",
                                     f"o.{column} <= {self._words.literal(self._chance, kind)}"))  # fmt: skip
        return self._chance.choice((
            f"exists (select from {table.name} as o where {inner})",
            f"not exists (select from {table.name} as o where {inner})",
            f"{alias}.{column} in (select o.{column} from {table.name} as o)",
            f"{alias}.{column} not in (select o.{column} from {table.name} as o where {inner})",
            f"{alias}.{column} >= all (select o.{column} from {table.name} as o where {inner})",
            f"(select count(*) from {table.name} as o where {inner}) > {self._chance.randrange(3)}",
            f"{alias}.{column} = (select max(o.{column}::text)::{kind} from {table.name} as o)",
            f"case when {self._compared(table, alias)} then (select count(*) from {table.name} as o) > 0 end",
        ))  # fmt: skip


def quoted_item(literal: str) -> str:
    """An SQL literal as an item of an array's text."""
    text = literal.split("::")[0].strip("'()")
    return '"' + text.replace('"', '\\"') + '"'
