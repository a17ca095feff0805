"""The parts of a schema, as the probe looks at them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self


@dataclass(eq=False)
class Column:
    """A column; ``type`` is the type's own name, that of the type below for a domain."""

    relation: int
    name: str
    sql: str
    type: str
    kind: str
    category: str
    type_oid: int
    element: int
    required: bool
    default: str | None
    generated: bool
    identity: str
    modifier: int
    domain_check: str

    @property
    def textual(self) -> bool:
        """Whether it holds a text of any length."""
        return self.type in ("text", "varchar", "bpchar", "citext")

    @property
    def settable(self) -> bool:
        """Whether a statement may give it a value."""
        return not self.generated and self.identity != "a"


@dataclass(frozen=True)
class Check:
    """A CHECK constraint."""

    name: str
    columns: tuple[str, ...]
    definition: str


@dataclass(eq=False)
class Relation:
    """A table, a view, or a slice of a table (the files of one bucket), which is looked at as a table of its own."""

    oid: int
    schema: str
    name: str
    sql: str
    kind: str
    partition: bool
    secured: bool
    owner: int
    definition: str
    sources: Sequence[int]
    triggers: Sequence[str]
    columns: dict[str, Column] = field(default_factory=dict)
    primary: tuple[str, ...] = ()
    unique: list[tuple[str, ...]] = field(default_factory=list)
    parents: dict[str, tuple["Relation", str]] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    policies: "list[Policy]" = field(default_factory=list)
    slice: str = ""

    @property
    def label(self) -> str:
        """What a finding calls it."""
        return f"{self.sql}/{self.slice}" if self.slice else self.sql

    @property
    def table(self) -> bool:
        """Whether rows lie in it."""
        return self.kind in ("r", "p")

    @property
    def fillable(self) -> bool:
        """Whether rows are put into it, and not into what it is a part of."""
        return self.table and not self.partition and not self.slice

    @cached_property
    def unique_columns(self) -> set[str]:
        """The columns that a key or a unique index is made of."""
        return {column for key in self.unique for column in key}

    def parent(self, column: str) -> "Relation | None":
        """Return the table that a column refers to."""
        return self.parents[column][0] if column in self.parents else None

    def __repr__(self) -> str:
        return f"<{self.label}>"


def labels(relations: Iterable[Relation]) -> str:
    """Return what a finding calls them."""
    return ", ".join(relation.label for relation in relations)


@dataclass(frozen=True)
class Policy:
    """A policy; without ``roles`` it is for everybody."""

    relation: int
    name: str
    permissive: bool
    command: str
    roles: Sequence[str]
    using: str
    check: str

    @property
    def text(self) -> str:
        """Both of its conditions."""
        return f"{self.using} {self.check}"


@dataclass(frozen=True)
class Function:
    """A function or procedure, and what it is called with."""

    oid: int
    schema: str
    name: str
    sql: str
    source: str
    definer: bool
    leakproof: bool
    kind: str
    volatility: str
    of_trigger: bool
    variadic: bool
    types: Sequence[str]
    type_oids: Sequence[int]
    names: Sequence[str]

    @property
    def label(self) -> str:
        """Its name with the types of its arguments."""
        return f"{self.sql}({', '.join(self.types)})"


@dataclass(frozen=True)
class Rights:
    """What one role may do with one relation: which columns it reads, writes and changes, and the rest as a whole."""

    relation: int
    whole: bool
    delete: bool
    truncate: bool
    select: Sequence[str]
    insert: Sequence[str]
    update: Sequence[str]

    @classmethod
    def none(cls, relation: int) -> Self:
        """Return those of who may not even enter the schema."""
        return cls(relation, False, False, False, (), (), ())


@dataclass
class Catalog:
    """A schema as it is; everything in the order of names, which is the same in every run and version."""

    relations: Mapping[int, Relation]
    functions: Sequence[Function]
    labels: Mapping[int, Sequence[str]]
    """The labels of each enumeration, by its type's oid."""
    type_names: Mapping[int, str]
    """Names of types without their schema, by oid."""

    @cached_property
    def tables(self) -> list[Relation]:
        """The tables that rows are put into."""
        return [relation for relation in self.relations.values() if relation.fillable]

    @cached_property
    def materialized(self) -> list[Relation]:
        """The materialized views, those first that others are made of: they are older."""
        return sorted((each for each in self.relations.values() if each.kind == "m"), key=lambda each: each.oid)

    @cached_property
    def policies(self) -> list[Policy]:
        """All policies."""
        return [policy for relation in self.relations.values() for policy in relation.policies]

    @cached_property
    def policy_text(self) -> str:
        """Every policy's conditions."""
        return " ".join(policy.text for policy in self.policies)

    @cached_property
    def function_text(self) -> str:
        """Every function's body."""
        return " ".join(function.source for function in self.functions)

    @cached_property
    def deciding(self) -> str:
        """Both."""
        return self.policy_text + self.function_text

    @cached_property
    def text(self) -> str:
        """Everything that decides who sees what: policies, functions, defaults and views."""
        relations = self.relations.values()
        defaults = " ".join(column.default or "" for relation in relations for column in relation.columns.values())
        views = " ".join(relation.definition for relation in relations)
        return " ".join((self.policy_text, self.function_text, defaults, views))
