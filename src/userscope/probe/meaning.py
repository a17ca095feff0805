"""What a schema says of itself: which values columns are compared with, whose tables are, and what leads to what."""

import re
from collections import defaultdict
from functools import cached_property

from userscope.probe import words
from userscope.probe.catalog.model import Catalog, Column, Function, Relation

_CAST = r"(?:::[\w ]+)?"
_COMPARED = re.compile(rf"\"?(\w+)\"?\)?{_CAST} (?:=|<>|!=) \(?'([^']*)'")
_ONE_OF = re.compile(rf"\"?(\w+)\"?\)?{_CAST}\)? (?:= ANY \(+ARRAY\[|in \()([^\])]*)[\])]", re.IGNORECASE)
_AMONG = re.compile(rf"'([^']*)'{_CAST} (?:=|IN) (?:ANY )?\(?\(? ?SELECT \w+\.\"?(\w+)", re.IGNORECASE)
_TURNED = re.compile(rf"'([^']*)'{_CAST} = \(?\w*\.?\"?(\w+)")
_UNLIKE = re.compile(rf"\"?(\w+)\"?\)?{_CAST} (?:<>|!=) \(?'")
_RANK = re.compile(r"role$|_type$|^level$")
_SESSION = re.compile(r"current_setting\s*\(|\b(?:current_user|session_user|current_role)\b", re.IGNORECASE)
_ROUNDS = 6
"""How many links away from a user a table may be, and still be somebody's."""


class Meaning:
    """The schema of ``catalog``, as far as it can be understood."""

    def __init__(self, catalog: Catalog, *, everything_owned: bool = False) -> None:
        self.catalog = catalog
        self.everything_owned = everything_owned
        self.literals = self._literals()
        self.decisive = words.words(catalog.deciding)
        """Every word of policies and functions: a column that is none of them decides nothing."""
        self.users = self._users()
        self.owned = set(catalog.tables) if everything_owned else self._owned()

    def candidates(self, column: Column, old: str | None = None) -> list[str]:
        """Return the values that may make a difference in a column, without the one that is there."""
        if column.kind == "e":
            found = list(self.catalog.labels.get(column.type_oid, ()))
        elif column.textual:
            found = sorted(self.literals.get(column.name, ()))
        else:
            found = ["true", "false"] if column.type == "bool" else []
        return [value for value in found if value != old][:8]

    def identifying(self, name: str) -> bool:
        """Whether a column says whose a row is: by its name, or since a policy compares it with who acts."""
        return words.identifying(name) or name in self._compared

    @cached_property
    def believed(self) -> set[Relation]:
        """The tables that policies of others ask, themselves or through functions: memberships, say."""
        asked = words.words(self.catalog.function_text)
        return {
            table
            for table in self.catalog.tables
            if table.name in asked
            or any(table.name in words.words(policy.text) for other in self.catalog.tables if other is not table
                   for policy in other.policies)
        }  # fmt: skip

    @cached_property
    def _compared(self) -> set[str]:
        asked = "|".join(["current_setting", *sorted(map(re.escape, self.session_functions))])
        either = rf"\"?(\w+)\"?\)?{_CAST} = \(*(?: ?SELECT )?\(*(?:\w+\.)?(?:{asked})\("
        return set(re.findall(either, self.catalog.policy_text))

    def personal(self, relation: Relation, column: str) -> bool:
        """Whether a column names a person."""
        parent = relation.parent(column)
        return parent in self.users if parent else words.personal(column)

    def affected(self, relation: Relation) -> set[int]:
        """Return the relations of which somebody may see other rows once rows of ``relation`` have changed."""
        written = words.words(" ".join(relation.triggers)) if relation.triggers else set()
        found: set[int | str] = {relation.oid}
        found |= {other.oid for other in self.catalog.tables if other.name in written}
        while more := {node for node, leads in self._leads.items() if leads & found} - found:
            found |= more
        return {node for node in found if isinstance(node, int)}

    @cached_property
    def session_functions(self) -> set[str]:
        """The names of functions that look at the session, by themselves or by others."""
        found: set[str] = set()
        while (
            more := {
                function.name
                for function in self.catalog.functions
                if _SESSION.search(function.source) or words.words(function.source) & found
            }
            - found
        ):
            found |= more
        return found

    def reached(self, function: Function) -> set[str]:
        """Return the words of a function, and of those that it calls."""
        sources: dict[str, str] = defaultdict(str)
        for each in self.catalog.functions:
            sources[each.name] += f" {each.source}"
        found = words.words(function.source)
        while more := {word for name in found & sources.keys() for word in words.words(sources[name])} - found:
            found |= more
        return found

    def speaks_of_identity(self, text: str) -> bool:
        """Whether a condition asks who acts."""
        return _SESSION.search(text) is not None or bool(words.words(text) & self.session_functions)

    @cached_property
    def _leads(self) -> dict[int | str, set[int | str]]:
        """What each relation's rows, as somebody sees them, and each function's answer depend on, by names."""
        named: dict[str, set[int | str]] = defaultdict(set)
        texts: dict[int | str, str] = defaultdict(str)
        for relation in self.catalog.relations.values():
            named[relation.name].add(relation.oid)
            texts[relation.oid] += " ".join([relation.definition, *(policy.text for policy in relation.policies)])
        for function in self.catalog.functions:
            named[function.name].add(function.name)
            texts[function.name] += f" {function.source}"
        return {
            node: {other for word in words.words(text) & named.keys() for other in named[word]} - {node}
            for node, text in texts.items()
        }

    def _literals(self) -> dict[str, set[str]]:
        """Return the values that each column, by its name, is compared with anywhere."""
        text = self.catalog.text
        found: dict[str, set[str]] = defaultdict(set)
        for column, value in _COMPARED.findall(text):
            found[column].add(value)
        for column, values in _ONE_OF.findall(text):
            found[column] |= set(re.findall(r"'([^']*)'", values))
        for value, column in _AMONG.findall(text) + _TURNED.findall(text):
            found[column].add(value)
        for column in _UNLIKE.findall(text):
            found[column].add("public")
        ranks = {
            value for value in re.findall(r"'([\w-]+)'", self.catalog.policy_text) if words.PRIVILEGED.search(value)
        }
        for relation in self.catalog.relations.values():
            for column in relation.columns.values():
                if column.textual and _RANK.search(column.name):
                    found[column.name] |= ranks
        return found

    def _users(self) -> set[Relation]:
        tables = [relation for relation in self.catalog.relations.values() if relation.table]
        found = {table for table in tables if (table.schema, table.name) == ("auth", "users")} or {
            table for table in tables if words.PEOPLE.fullmatch(table.name) and len(table.primary) == 1
        }
        while (
            more := {table for table in tables if len(table.primary) == 1 and table.parent(table.primary[0]) in found}
            - found
        ):
            found |= more
        return found

    def _owned(self) -> set[Relation]:
        """Return the tables whose rows are somebody's: what is left is a catalogue, for everybody to read."""
        tables = [relation for relation in self.catalog.relations.values() if relation.table]
        found = self.users | {table for table in tables if self._says_whose(table)}
        for _ in range(_ROUNDS):
            found |= {table for table in tables if any(parent in found for parent, _ in table.parents.values())}
        return found

    def _says_whose(self, table: Relation) -> bool:
        reading = [policy for policy in table.policies if policy.permissive and policy.command in ("select", "all")]
        if words.SOMEBODYS.fullmatch(table.name) or any(self.speaks_of_identity(policy.using) for policy in reading):
            return True
        return any(
            name not in table.parents
            and words.identifying(name)
            and (
                (column.type in words.KEYS and name not in table.primary and words.personal(name))
                or re.search("tenant|^org", name) is not None
            )
            for name, column in table.columns.items()
        )
