"""Policies read by PostgreSQL's own parser: an expression becomes the ways in which it can be true.

Each way is a branch: conditions that hold together. Queries in it are read along, row by row, and so are the bodies of
functions that are SQL or simple PL/pgSQL.
"""

from typing import Any

from userscope.audit.judge.calls import Calls
from userscope.audit.judge.queries import Queries
from userscope.audit.judge.terms import (
    Branch,
    Limit,
    Other,
    Scope,
    TooWide,
    Value,
    Values,
    both,
    condition,
    sources_of,
)
from userscope.audit.judge.tree import A, constant, name_of, names_of, of
from userscope.audit.judge.unknowns import Unknowns

_NEGATED = {"=": "<>", "<>": "=", "!=": "=", "~~": "!~~", "~": "!~"}


class Reader(Queries, Calls, Unknowns):
    """Reads expressions against one catalog."""

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
        for value, branch in self.values(node, scope):
            if not value.sources:
                found += [branch] if _holds(value, operator) else []
            elif len(value.entities) == 1 and not _unread(value):
                found.append((*branch, Limit(value, operator, None, positive)))
            else:
                found.append((*branch, Other(value.sources)))
        return found

    def _bare(self, node: Any, scope: Scope, *, positive: bool) -> list[Branch]:
        """A column or a call that is itself true or false."""
        return self._limited(node, "is true" if positive else "not", scope, positive=positive)

    def _compared(self, one: Any, scope: Scope, *, yes: bool) -> list[Branch]:
        operator = name_of(one.name)
        if one.kind in (A.AEXPR_BETWEEN, A.AEXPR_NOT_BETWEEN, A.AEXPR_BETWEEN_SYM, A.AEXPR_NOT_BETWEEN_SYM):
            return self._limited(one.lexpr, "between", scope, positive=True)
        if one.kind in (A.AEXPR_DISTINCT, A.AEXPR_NOT_DISTINCT):
            return self._distinct(one, scope, same=(one.kind == A.AEXPR_NOT_DISTINCT) is yes)
        if one.kind == A.AEXPR_OP_ALL:
            return self._opaque([one.lexpr, one.rexpr], scope)
        if one.kind == A.AEXPR_IN or of(one.rexpr)[0] == "list":
            rights: Values = []
            for item in of(one.rexpr)[1].items:
                rights += self.values(item, scope)
            return self._pairs(
                operator if yes else _NEGATED.get(operator, "not"), self.values(one.lexpr, scope), rights
            )
        for side, other in ((one.lexpr, one.rexpr), (one.rexpr, one.lexpr)):  # f(x) = true
            said = _said(other) if one.kind == A.AEXPR_OP and operator in ("=", "<>") else None
            if said is not None:
                holds = (said == (operator == "=")) == yes
                return self.truths(side, scope) if holds else self.lies(side, scope)
        if one.kind == A.AEXPR_OP_ANY:
            rights = self.elements(one.rexpr, scope)
        elif not one.HasField("lexpr"):
            return self._opaque([one.rexpr], scope)
        elif of(one.lexpr)[0] == "row_expr" and of(one.rexpr)[0] == "row_expr":
            branches: list[Branch] = [()]
            for left, right in zip(of(one.lexpr)[1].args, of(one.rexpr)[1].args, strict=False):
                branches = both(branches, self._pairs(operator, self.values(left, scope), self.values(right, scope)))
            return branches
        else:
            rights = self.values(one.rexpr, scope)
        if not yes:
            operator = _NEGATED.get(operator, "not")
        return self._pairs(operator, self.values(one.lexpr, scope), rights)

    def _distinct(self, one: Any, scope: Scope, *, same: bool) -> list[Branch]:
        said = _said(one.rexpr)
        if said is not None:
            read = self.truths if said is same else self.lies
            return read(one.lexpr, scope) + ([] if same else self.nulls(one.lexpr, scope))
        found = self._pairs("=" if same else "<>", self.values(one.lexpr, scope), self.values(one.rexpr, scope))
        if same:  # nobody is not distinct from null
            found += both(self.nulls(one.lexpr, scope), self.nulls(one.rexpr, scope))
        return found

    def _pairs(self, operator: str, lefts: Values, rights: Values) -> list[Branch]:
        """One of these compared with one of those."""
        if rights and len(rights) > 1 and not any(value.sources for value, _ in rights):
            rights = [(Value(constant="|".join(sorted({value.constant or "" for value, _ in rights}))), ())]
        if len(lefts) * len(rights) > 100:
            raise TooWide
        found: list[Branch] = []
        for left, where in lefts:
            for right, there in rights:
                if (left.counts or right.counts) and not _some(operator, left, right):
                    found.append((Other(frozenset(sources_of(where + there)) | left.sources | right.sources),))
                    continue
                if left.counts or right.counts:
                    found.append(where + there)
                    continue
                held = condition(operator, left, right)
                if held is True:
                    found.append(where + there)
                elif held is not False:
                    found.append((*where, *there, held))
        return found

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

    def _opaque(self, nodes: list[Any], scope: Scope) -> list[Branch]:
        return [
            (Other(frozenset(s for node in nodes for value, _ in self.values(node, scope) for s in value.sources)),)
        ]


def _said(node: Any) -> bool | None:
    """Whether a node is true or false itself, and which."""
    kind, one = of(node)
    return bool(one.boolval.boolval) if kind == "a_const" and one.WhichOneof("val") == "boolval" else None


def _holds(value: Value, operator: str) -> bool:
    """Whether a condition on a constant can hold."""
    if operator in ("is null", "is not null"):
        return value.null == (operator == "is null")
    return not value.null and value.constant != ("false" if operator == "is true" else "true")


def _unread(value: Value) -> bool:
    return any(source.kind in ("call", "unknown") for source in value.sources)


def _some(operator: str, left: Value, right: Value) -> bool:
    """Whether a count that passes is of at least one row."""
    if operator == "<>":
        return "0" in (left.constant, right.constant)
    if right.counts:
        return (operator == "<" and left.constant is not None) or (
            operator == "<=" and left.constant not in (None, "0")
        )
    if operator == ">":
        return right.constant is not None
    return operator in (">=", "=") and right.constant not in (None, "0")
