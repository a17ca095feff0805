"""Queries within a policy: which rows they find, under which conditions."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from userscope.audit.judge.catalog import Catalog, Relation
from userscope.audit.judge.nothing import Rows, none
from userscope.audit.judge.profiles import Profile
from userscope.audit.judge.terms import (
    Binding,
    Branch,
    Limit,
    Link,
    Scope,
    Source,
    TooWide,
    Tuple,
    Value,
    Values,
    both,
)
from userscope.audit.judge.tree import A, Unreadable, name_of, names_of, of, statements

type Outer = list[tuple[list[set[int]], list[Branch]]]
"""The rows that an outer join may not find, by side, and what holds where it has."""


class Queries:
    """Reads queries; what it reads expressions with stands beside it in Reader."""

    truths: Callable[[Any, Scope], list[Branch]]
    values: Callable[[Any, Scope], Values]
    _pairs: Callable[[str, Values, Values], list[Branch]]
    called_rows: Callable[[Any, Scope], Rows | None]
    stands_above: Callable[[int], bool]

    def __init__(self, catalog: Catalog, profile: Profile, known: frozenset[int] = frozenset()) -> None:
        self.catalog = catalog
        self.profile = profile
        self.known = known
        self.tuples: dict[int, Tuple] = {}

    def rows(self, query: Any, scope: Scope) -> Rows:
        """The rows of a query."""
        found: Rows = []

        def columns(inner: Scope, select: Any) -> Rows:
            if select.values_lists:
                return [
                    ([("column1", value)], held)
                    for row in select.values_lists
                    for value, held in self.values(row.list.items[0], inner)
                ]
            rows: Rows = [([], ())]
            for place, target in enumerate(select.target_list):
                name, node = target.res_target.name, target.res_target.val
                kind, one = of(node)
                if kind == "column_ref" and of(one.fields[-1])[0] == "a_star":
                    rows = [(row + self._star(one, inner), branch) for row, branch in rows]
                    continue
                label = name or (name_of(one.fields) if kind == "column_ref" else f"?{place}")
                if kind == "func_call" and not name:
                    label = name_of(one.funcname)
                values = self.values(node, inner)
                if any(held for _, held in values):  # the row is there without it
                    lone = Value(constant="0") if any(value.counts for value, _ in values) else Value(null=True)
                    values = [*values, (lone, ())]
                if len(rows) * len(values) > 100:
                    raise TooWide
                rows = [([*row, (label, value)], (*branch, *held)) for row, branch in rows for value, held in values]
            return rows

        select = of(query)[1] if of(query)[0] else query
        if select.op == A.SETOP_INTERSECT and not select.HasField("with_clause"):
            return self._shared(self.rows(select.larg, scope), self.rows(select.rarg, scope))
        for inner, branch, select in self._selected(query, scope):
            found += [(row, branch + held) for row, held in columns(inner, select)]
            found += none(select)
        return found

    def _shared(self, one: Rows, other: Rows) -> Rows:
        """What INTERSECT leaves: rows that are equal."""
        found: Rows = []
        for row, branch in one:
            for twin, held in other:
                alike: list[Branch] = [branch + held]
                for (_, left), (_, right) in zip(row, twin, strict=False):
                    alike = both(alike, self._pairs("=", [(left, ())], [(right, ())]))
                found += [(row, more) for more in alike]
        return found

    def _renamed(self, like: Rows, query: Any, scope: Scope) -> Rows:
        """The rows of a query, whose columns are called as others."""
        return _called(self.rows(query, scope), [name for name, _ in like[0][0]] if like else [])

    def row_truths(self, query: Any, scope: Scope, column: int = 0) -> list[Branch]:
        """The ways in which a query's column is true."""
        found: list[Branch] = []
        for inner, branch, select in self._selected(query, scope):
            nodes = [row.list.items[column] for row in select.values_lists] or [
                target.res_target.val for target in select.target_list[column : column + 1]
            ]
            found += [more for node in nodes for more in both([branch], self.truths(node, inner))]
            found += [()] if any(row[column][1].constant == "true" for row, _ in none(select)) else []
        return found

    def elements(self, node: Any, scope: Scope) -> Values:
        """What an array, or a query that gives one, holds."""
        kind, one = of(node)
        if kind == "type_cast":
            return self.elements(one.arg, scope)
        if kind == "a_array_expr":
            return [value for element in one.elements for value in self.values(element, scope)]
        if kind == "sub_link":
            return [(row[0][1] if row else Value(), branch) for row, branch in self.rows(one.subselect, scope)]
        return [(value, held) for value, held in self.values(node, scope) if not value.empty]

    def _selected(self, query: Any, scope: Scope) -> list[tuple[Scope, Branch, Any]]:
        """Each plain SELECT of a query, with the scope of its columns and what holds for its rows."""
        kind, select = of(query)
        if kind == "select_stmt":
            query = select
        if query.HasField("with_clause"):
            scope = scope.inner()
            for part in query.with_clause.ctes:
                cte = part.common_table_expr
                if of(cte.ctequery)[0] == "select_stmt":
                    body = of(cte.ctequery)[1]
                    again = query.with_clause.recursive and body.HasField("larg")
                    rows = self.rows(body.larg if again else body, scope)
                    scope.queries[cte.ctename] = _called(rows, names_of(cte.aliascolnames))
                    if again:  # one step tells what the others do
                        scope.queries[cte.ctename] += self._renamed(scope.queries[cte.ctename], body.rarg, scope)
        if query.op != A.SETOP_NONE:
            left, right = self._selected(query.larg, scope), self._selected(query.rarg, scope)
            if query.op == A.SETOP_UNION:
                return left + right
            return left
        alternatives: list[tuple[Scope, Branch, Outer]] = [(scope.inner(), (), [])]
        for item in query.from_clause:
            alternatives = [
                more for inner, branch, outer in alternatives for more in self._from(item, inner, branch, outer)
            ]
            if len(alternatives) > 60:
                raise TooWide
        found = []
        for inner, branch, outer in alternatives:
            where = (
                both([branch], self.truths(query.where_clause, inner)) if query.HasField("where_clause") else [branch]
            )
            if query.HasField("having_clause"):
                where = both(where, self.truths(query.having_clause, inner))
            for sides, held in outer:
                where = [
                    more
                    for one in where
                    for more in (both([one], held) if all(_found(one, side) for side in sides) else [one])
                ]
            found += [(inner, one, query) for one in where]
        return found

    def _from(self, item: Any, inner: Scope, branch: Branch, outer: Any) -> Any:
        kind, one = of(item)
        if kind == "join_expr":
            already = set(inner.aliases)
            made = self._from(one.larg, inner, branch, outer)
            before = {id(scope): set(scope.aliases) for scope, _, _ in made}
            made = [more for scope, held, rest in made for more in self._from(one.rarg, scope, held, rest)]
            found = []
            for scope, held, rest in made:
                on: list[Branch] = self.truths(one.quals, scope) if one.HasField("quals") else [()]
                on = both(on, [self._using(one, scope)])
                if one.jointype in (A.JOIN_LEFT, A.JOIN_RIGHT, A.JOIN_FULL):
                    left = before.get(id(scope), set())
                    optional = {A.JOIN_LEFT: [set(scope.aliases) - left], A.JOIN_RIGHT: [left - already]}
                    sides = [
                        {binding.entity[1] for alias in names if (binding := scope.aliases[alias]).entity}
                        for names in optional.get(one.jointype, [set(scope.aliases) - left, left - already])
                    ]
                    found.append((scope, held, [*rest, (sides, on)]))
                else:
                    found += [(scope, more, rest) for more in both([held], on)]
            return found
        if kind == "range_var":
            names = [one.schemaname, one.relname] if one.schemaname else [one.relname]
            alias = one.alias.aliasname or one.relname
            rows = None if one.schemaname else self._query(one.relname, inner)
            if rows is None:
                relation = self.catalog.relation(names, inner.near)
                shown = self._shown(relation, inner) if relation and relation.kind == "v" else None
                if shown is not None:
                    return self._derived(shown, alias, [], inner, branch, outer)
                number = len(self.tuples) + 1
                self.tuples[number] = Tuple(relation, inner.above)
                inner.aliases[alias] = Binding(("tuple", number), relation)
                return [(inner, branch, outer)]
            return self._derived(rows, alias, [], inner, branch, outer)
        if kind == "range_subselect":
            names = names_of(one.alias.colnames)
            return self._derived(self.rows(one.subquery, inner), one.alias.aliasname, names, inner, branch, outer)
        if kind == "range_function":
            call = one.functions[0].list.items[0]
            alias = one.alias.aliasname or (name_of(of(call)[1].funcname) if of(call)[0] == "func_call" else "")
            called = self.called_rows(of(call)[1], inner) if of(call)[0] == "func_call" else None
            if called is None:
                called = [([(alias, value)], held) for value, held in self.elements(call, inner)]
            columns = [column.column_def.colname for column in one.coldeflist] or names_of(one.alias.colnames)
            return self._derived(called, alias, columns, inner, branch, outer)
        return [(inner, branch, outer)]

    def _shown(self, view: Relation, scope: Scope) -> Rows | None:
        """The rows of a view, which are its query's; None where that cannot be read."""
        above = scope.above if view.invoker else self.stands_above(view.owner)
        try:
            query = statements((view.definition or "").rstrip(" ;"))[0]
            return self.rows(query, Scope(above=above, near=view.schema))
        except (Unreadable, LookupError, ValueError, AttributeError):
            return None

    def _derived(self, rows: Rows, alias: str, names: list[str], inner: Scope, branch: Branch, outer: Any) -> Any:
        made = []
        for columns, held in _called(rows, names):
            named = dict(columns)
            if len(columns) == 1 and alias:
                named.setdefault(alias, columns[0][1])
            scope = replace(inner, aliases={**inner.aliases, alias: Binding(columns=named)})
            made.append((scope, branch + held, outer))
        return made

    def _using(self, join: Any, scope: Scope) -> Branch:
        """What JOIN … USING compares: the last two that have the column."""
        found: list[Link] = []
        for name in names_of(join.using_clause):
            having = [value for binding in scope.aliases.values() if (value := binding.column(name))]
            found += [Link(*having[-2:])] if len(having) > 1 else []
        return tuple(found)

    def _query(self, name: str, scope: Scope | None) -> Rows | None:
        while scope:
            if name in scope.queries:
                return scope.queries[name]
            scope = scope.outer
        return None

    def _star(self, one: Any, scope: Scope) -> list[tuple[str, Value]]:
        alias = names_of(one.fields)[-2] if len(one.fields) > 1 else None
        found: list[tuple[str, Value]] = []
        for name, binding in scope.aliases.items():
            if alias in (None, name):
                found += list(binding.columns.items())
                if binding.entity:
                    columns = list(binding.relation.fields) if binding.relation else ["*"]
                    kind, number = binding.entity
                    found += [(column, Value(frozenset({Source(kind, column, number)}))) for column in columns]
        return found


def _called(rows: Rows, names: list[str]) -> Rows:
    """The same rows, whose first columns are called so."""
    return [
        ([(names[place] if place < len(names) else name, value) for place, (name, value) in enumerate(row)], held)
        for row, held in rows
    ]


def _found(branch: Branch, tuples: set[int]) -> bool:
    """Whether a condition is true only where an outer join has found one of these rows."""

    def needs(value: Value) -> bool:
        of_them = any(source.kind == "tuple" and source.of in tuples for source in value.sources)
        return of_them and value.constant is None

    for atom in branch:
        match atom:
            case Limit():
                found = atom.operator != "is null" and needs(atom.value)
            case Link():
                found = needs(atom.left) or needs(atom.right)
            case _:
                found = any(source.kind == "tuple" and source.of in tuples for source in atom.sources)
        if found:
            return True
    return False
