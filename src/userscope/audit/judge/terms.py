"""What a policy's expression comes to: values by where they come from, and conditions that hold together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from userscope.audit.judge.catalog import Relation


class Source(NamedTuple):
    """Where a value comes from.

    ``kind`` is row (the row that is judged), tuple (a row of a query in the policy, number ``of``), me (who acts:
    ``name`` says by what), call (a function that cannot be read) or unknown.
    """

    kind: str
    name: str
    of: int = 0


@dataclass(frozen=True)
class Value:
    """A value: its sources, or the constant that it is; of both, the constant where what it comes from is null.

    ``counts``: a number of rows, which is there without any; ``nobody``: an id that stands for none.
    """

    sources: frozenset[Source] = frozenset()
    constant: str | None = None
    counts: bool = False
    null: bool = False
    nobody: bool = False

    @property
    def empty(self) -> bool:
        """Whether it is a list with nothing in it."""
        return not self.sources and self.constant in ("{}", "[]")

    @property
    def entities(self) -> set[tuple[str, int]]:
        """The rows and other things that it is made of."""
        return {(source.kind, source.of) for source in self.sources}

    def step(self, path: Sequence[str]) -> "Value":
        """What of a document about the caller is at a path."""
        if self.entities != {("me", 0)} or len(self.sources) > 1 or not path:
            return self
        (source,) = self.sources
        return Value(frozenset({source._replace(name=".".join([source.name, *path]))}))


@dataclass(frozen=True)
class Link:
    """Two things are equal, or one holds the other."""

    left: Value
    right: Value


@dataclass(frozen=True)
class Limit:
    """A condition on one thing alone: ``constant`` is what it is compared with, ``positive`` whether it must be so."""

    value: Value
    operator: str
    constant: str | None = None
    positive: bool = True


@dataclass(frozen=True)
class Other:
    """A condition that is none of these; ``why`` says what is wrong with it, where something is.

    ``order``: the first is at most the second.
    """

    sources: frozenset[Source]
    why: str = ""
    order: tuple[Value, Value] | None = None


_MOST = 400
"""Branches that are followed at most."""
_JOINS = {"=", "@>", "<@", "&&", "~~", "~~*", "~", "~*", "?", "?|", "?&", "^@"}
_HOLDS = {"?", "?|", "&&", "@>"}
_PATTERNS = {"~~", "~~*", "~", "~*", "^@"}
_CONTAINS = {"@>", "<@", "@?", "@@"}
_STEP = re.compile(r'"(\w+)"\s*:|\."?(\w+)')

type Atom = Link | Limit | Other
type Branch = tuple[Atom, ...]
type Values = list[tuple[Value, Branch]]
"""What a value can be, each with what holds then."""


@dataclass(frozen=True)
class Tuple:
    """A row that a policy's query finds; ``above``: it is read by who is above row-level security."""

    relation: Relation | None
    above: bool


@dataclass
class Binding:
    """What an alias stands for: a row, by its entity, or the columns of a query in FROM."""

    entity: tuple[str, int] | None = None
    relation: Relation | None = None
    columns: dict[str, Value] = field(default_factory=dict)

    def column(self, name: str) -> Value | None:
        """Find a column."""
        if name in self.columns:
            return self.columns[name]
        if self.entity and (self.relation is None or name in self.relation.fields):
            return Value(frozenset({Source(self.entity[0], name, self.entity[1])}))
        return None


@dataclass
class Scope:
    """What names mean at one place; ``params`` are a function's arguments and variables, ``near`` its schema.

    ``kept`` are variables with the expression, or the query and its column, that gave them, and where it stood.
    """

    aliases: dict[str, Binding] = field(default_factory=dict)
    outer: "Scope | None" = None
    params: dict[str, Values] = field(default_factory=dict)
    kept: dict[str, "Kept"] = field(default_factory=dict)
    queries: dict[str, list[tuple[list[tuple[str, Value]], Branch]]] = field(default_factory=dict)
    above: bool = False
    near: str = "public"

    def inner(self) -> "Scope":
        """A scope within this one."""
        return Scope(outer=self, above=self.above, near=self.near)

    def kept_apart(self) -> "Scope":
        """The same, whose variables go their own way."""
        return replace(self, params=dict(self.params), kept=dict(self.kept))

    def variable(self, names: list[str]) -> "Kept | None":
        """What gave a variable, where a name is one's and no column's."""
        scope: Scope | None = self
        while scope and len(names) == 1:
            if names[0] in scope.kept:
                return scope.kept[names[0]]
            if scope.here(names):
                return None
            scope = scope.outer
        return None

    def find(self, names: list[str]) -> Values:
        """What a name means: the innermost column first, as PostgreSQL reads it, then arguments."""
        scope: Scope | None = self
        while scope:
            found = scope.here(names)
            if found:
                return found
            scope = scope.outer
        return [(Value(frozenset({Source("unknown", ".".join(names))})), ())]

    def here(self, names: list[str]) -> Values:
        """What a name means in this scope alone; nothing where it means nothing."""
        if len(names) == 1:
            for binding in self.aliases.values():
                value = binding.column(names[0]) if binding.relation or binding.columns else None
                if value:
                    return [(value, ())]
            whole = self.aliases.get(names[0])
            if whole and whole.entity:
                return [(Value(frozenset({Source(whole.entity[0], "*", whole.entity[1])})), ())]
            if names[0] in self.params:
                return self.params[names[0]]
            return [
                (value, ())
                for binding in self.aliases.values()
                if binding.relation is None and not binding.columns
                for value in [binding.column(names[0])]
                if value
            ]
        alias, name = names[-2:]
        named = self.aliases.get(alias)
        if named:
            if name == "*" and named.entity:
                return [(Value(frozenset({Source(named.entity[0], "*", named.entity[1])})), ())]
            value = named.column(name)
            return [(value or Value(frozenset({Source("unknown", name)})), ())]
        if alias in self.params:  # a row as an argument, or a record
            return [(part(value, name), branch) for value, branch in self.params[alias]]
        if name in self.params and alias not in self.params:
            return self.params[name] if self.outer is None or not self.aliases else []
        return []


class Kept(NamedTuple):
    """An expression, or a query of which ``column`` is kept."""

    node: Any
    scope: Scope
    column: int | None = None


def part(value: Value, name: str) -> Value:
    """A column of a whole row."""
    return Value(frozenset(source._replace(name=name) if source.name == "*" else source for source in value.sources))


def atom_sources(atom: Atom) -> frozenset[Source]:
    """Every source that a condition speaks of."""
    match atom:
        case Limit():
            return atom.value.sources
        case Other():
            return atom.sources
        case _:
            return atom.left.sources | atom.right.sources


def sources_of(branch: Branch) -> set[Source]:
    """Every source that a branch speaks of."""
    return {source for atom in branch for source in atom_sources(atom)}


def equalities(branch: Branch) -> Branch:
    """The same, with what is neither less nor more than something as equal to it."""
    orders = {atom.order for atom in branch if isinstance(atom, Other) and atom.order}
    return tuple(
        Link(*atom.order) if isinstance(atom, Other) and atom.order and atom.order[::-1] in orders else atom
        for atom in branch
    )


def ordered(operator: str, left: str | None, right: str | None) -> bool | None:
    """Whether two constants are so; None where that is not known."""
    if left is None or right is None:
        return None
    if operator in ("=", "<>"):
        return (left == right) is (operator == "=")
    try:
        one, other = float(left), float(right)
    except ValueError:
        return None
    return {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}.get(operator)


class TooWide(Exception):
    """There are more ways for it to be true than anybody would read."""


def both(one: list[Branch], other: list[Branch]) -> list[Branch]:
    """AND."""
    if len(one) * len(other) > _MOST:
        raise TooWide
    return [a + b for a in one for b in other]


def condition(operator: str, left: Value, right: Value) -> Atom | bool:
    """What comparing two values comes to; True or False where it is so for every row."""
    sources = left.sources | right.sources
    if left.null or right.null or (operator in _HOLDS and (left.empty or (right.empty and operator == "&&"))):
        return False
    if operator == "=" and (left.nobody or right.nobody):
        return False
    if not sources:
        return ordered(operator, left.constant, right.constant) is not False
    if any(source.kind in ("call", "unknown") for source in sources):
        return Other(sources)
    ours, theirs = left.entities, right.entities
    mine = [value for value in (left, right) if ("me", 0) in value.entities]
    if operator in _PATTERNS and any(value.constant is not None for value in mine):
        return Other(sources, "without")  # everything is like an empty pattern
    if not right.sources or not left.sources:
        value, constant = (left, right.constant) if left.sources else (right, left.constant)
        if operator in _CONTAINS:  # {"a": {"b": "c"}} or $.a.b
            value = value.step([key or name for key, name in _STEP.findall(constant or "")])
        return Limit(value, operator, constant) if len(value.entities) == 1 else Other(sources)
    if len(ours) == 1 and len(theirs) == 1:
        if ours == theirs:
            what = "the caller with the caller" if ours == {("me", 0)} else "a column with itself"
            return Other(sources, f"it compares {what}" if left.sources == right.sources else "")
        if operator in _JOINS:
            return Link(left, right)
        if operator in ("<=", ">="):
            return Other(sources, order=(left, right) if operator == "<=" else (right, left))
        return Other(sources)
    mixed = {("me", 0)} < (ours if len(ours) > 1 else theirs)
    return Other(sources, "without" if mixed and len(ours | theirs) > 1 else "")
