"""Policies read by PostgreSQL's own parser: an expression becomes the ways in which it can be true.

Each way is a branch: conditions that hold together. Queries in it are read along, row by row, and so are the bodies of
functions that are SQL or simple PL/pgSQL.
"""

from typing import Any

from userscope.audit.judge.calls import Calls
from userscope.audit.judge.catalog import Relation
from userscope.audit.judge.comparisons import Comparisons
from userscope.audit.judge.presence import ABSENT
from userscope.audit.judge.queries import Queries
from userscope.audit.judge.terms import (
    Branch,
    Limit,
    Other,
    Scope,
    Value,
    both,
    sources_of,
)
from userscope.audit.judge.tree import A, builtin, constant, name_of, names_of, of
from userscope.audit.judge.unknowns import Unknowns


class Reader(Queries, Calls, Comparisons, Unknowns):
    """Reads expressions against one catalog; ``row``: the table whose rows are judged."""

    row: Relation | None = None

    def truths(self, node: Any, scope: Scope) -> list[Branch]:
        """The ways in which an expression is true."""
        kind, one = of(node)
        match kind:
            case "a_const":
                return [] if constant(one) in ("false", None) else [()]
            case "bool_expr":
                return self._joined(one, scope, yes=True)
            case "sub_link":
                return self._sub_link(one, scope)
            case "null_test":
                name = "is null" if one.nulltesttype == A.IS_NULL else "is not null"
                return self._limited(one.arg, name, scope, positive=name == "is not null")
            case "boolean_test":
                return self.tested(one, scope)
            case "coalesce_expr":
                return self.first(one, scope)
            case "case_expr":
                return [
                    branch
                    for held, result in self.arms(one, scope)
                    for branch in both(held, self.truths(result, scope))
                ]
            case "type_cast":
                return self.truths(one.arg, scope)
            case "a_expr":
                return self._compared(one, scope, yes=True)
            case "column_ref" if kept := scope.variable(names_of(one.fields)):
                if kept.column is None:
                    return self.truths(kept.node, kept.scope)
                return self.row_truths(kept.node, kept.scope, kept.column)
            case "func_call":
                found = self.called_truths(one, scope)
                if found is not None:
                    return found
            case "json_func_expr" if one.op == A.JSON_EXISTS_OP:
                return self.json_found(one, scope)
        return self._bare(node, scope, positive=True)

    def lies(self, node: Any, scope: Scope) -> list[Branch]:
        """The ways in which an expression is false."""
        kind, one = of(node)
        match kind:
            case "a_const":
                return [()] if constant(one) == "false" else []
            case "bool_expr":
                return self._joined(one, scope, yes=False)
            case "null_test":
                name = "is not null" if one.nulltesttype == A.IS_NULL else "is null"
                return self._limited(one.arg, name, scope, positive=name == "is not null")
            case "a_expr":
                return self._compared(one, scope, yes=False)
            case "type_cast":
                return self.lies(one.arg, scope)
            case "column_ref" if (kept := scope.variable(names_of(one.fields))) and kept.column is None:
                return self.lies(kept.node, kept.scope)
            case "sub_link" if one.sub_link_type == A.EXISTS_SUBLINK and _bare_select(of(one.subselect)[1]):
                where = of(one.subselect)[1].where_clause
                return self.lies(where, scope) + self.nulls(where, scope)
        sources = frozenset(source for branch in self.truths(node, scope) for source in sources_of(branch))
        if len({(source.kind, source.of) for source in sources}) == 1 and kind != "sub_link":
            return [(Limit(Value(sources), "not", positive=False),)]
        return [(Other(sources),)]

    def _joined(self, one: Any, scope: Scope, *, yes: bool) -> list[Branch]:
        if one.boolop == A.NOT_EXPR:
            return self.lies(one.args[0], scope) if yes else self.truths(one.args[0], scope)
        read = self.truths if yes else self.lies
        parts = [read(arg, scope) for arg in one.args]
        if (one.boolop == A.OR_EXPR) is yes:
            return [branch for part in parts for branch in part]
        branches: list[Branch] = [()]
        for part in parts:
            branches = both(branches, part)
        return branches

    def _limited(self, node: Any, operator: str, scope: Scope, *, positive: bool) -> list[Branch]:
        found: list[Branch] = []
        kind, one = of(node)
        if kind == "a_expr" and one.kind == A.AEXPR_NULLIF and operator == "is null":
            found = self._pairs("=", self.values(one.lexpr, scope), self.values(one.rexpr, scope))
        values = self.values(node, scope)
        if operator == "is null" and any(branch for _, branch in values):  # what is not found is null as well
            return found + self.nulls(node, scope)
        absent = kind == "func_call" and builtin(names_of(one.funcname)) in ABSENT
        for value, branch in values:
            if value.counts:
                found += [branch if absent else ()] if operator == "is not null" else []
            elif not value.sources:
                found += [branch] if _holds(value, operator) else []
            elif len(value.entities) == 1 and not _unread(value):
                found.append((*branch, Limit(value, operator, None, positive)))
            else:
                found.append((*branch, Other(value.sources)))
        return found

    def _bare(self, node: Any, scope: Scope, *, positive: bool) -> list[Branch]:
        """A column or a call that is itself true or false."""
        return self._limited(node, "is true" if positive else "not", scope, positive=positive)

    def _sub_link(self, one: Any, scope: Scope) -> list[Branch]:
        query = one.subselect
        if one.sub_link_type == A.EXISTS_SUBLINK:
            return [branch for _, branch in self.rows(query, scope)]
        if one.sub_link_type == A.EXPR_SUBLINK:
            return self.row_truths(query, scope)
        if one.sub_link_type != A.ANY_SUBLINK:
            return self._opaque([one.testexpr], scope)
        operator = name_of(one.oper_name) or "="
        kind, tested = of(one.testexpr)
        lefts = [self.values(part, scope) for part in (tested.args if kind == "row_expr" else [one.testexpr])]
        found: list[Branch] = []
        for columns, branch in self.rows(query, scope):
            pairs: list[Branch] = [branch]
            for left, (_, value) in zip(lefts, columns, strict=False):
                pairs = both(pairs, self._pairs(operator, left, [(value, ())]))
            found += pairs
        return found


def _holds(value: Value, operator: str) -> bool:
    """Whether a condition on a constant can hold."""
    if operator in ("is null", "is not null"):
        return value.null == (operator == "is null")
    return not value.null and value.constant != ("false" if operator == "is true" else "true")


def _unread(value: Value) -> bool:
    return any(source.kind in ("call", "unknown") for source in value.sources)


def _bare_select(select: Any) -> bool:
    """Whether a query is one condition, of no table."""
    return select.op == A.SETOP_NONE and not select.from_clause and select.HasField("where_clause")
