"""Comparisons: of one with one, with some or all of a list, of rows, with what is distinct, and how one is not so."""

from collections.abc import Callable
from typing import Any

from userscope.audit.judge.catalog import Relation
from userscope.audit.judge.presence import truth_as_number
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
    ordered,
    sources_of,
)
from userscope.audit.judge.tree import A, name_of, of, uncast

_NEGATED = {"=": "<>", "<>": "=", "!=": "=", "~~": "!~~", "~": "!~", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


class Comparisons:
    """Reads comparisons; what it reads their sides with stands beside it in Reader."""

    row: Relation | None
    truths: Callable[[Any, Scope], list[Branch]]
    lies: Callable[[Any, Scope], list[Branch]]
    nulls: Callable[[Any, Scope], list[Branch]]
    values: Callable[[Any, Scope], Values]
    elements: Callable[[Any, Scope], Values]
    compares: Callable[[Any, Scope], list[Branch] | None]
    _limited: Callable[..., list[Branch]]

    def _compared(self, one: Any, scope: Scope, *, yes: bool) -> list[Branch]:
        operator = name_of(one.name)
        if one.kind in (A.AEXPR_BETWEEN, A.AEXPR_NOT_BETWEEN, A.AEXPR_BETWEEN_SYM, A.AEXPR_NOT_BETWEEN_SYM):
            within = one.kind in (A.AEXPR_BETWEEN, A.AEXPR_BETWEEN_SYM)
            either = one.kind in (A.AEXPR_BETWEEN_SYM, A.AEXPR_NOT_BETWEEN_SYM)
            return self._between(one, scope, within=within is yes, either=either)
        if one.kind in (A.AEXPR_DISTINCT, A.AEXPR_NOT_DISTINCT):
            return self._distinct(one, scope, same=(one.kind == A.AEXPR_NOT_DISTINCT) is yes)
        if one.kind in (A.AEXPR_OP_ANY, A.AEXPR_OP_ALL):
            return self._quantified(one, scope, yes=yes)
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
        if not one.HasField("lexpr"):
            return self._opaque([one.rexpr], scope)
        if not yes:
            operator = _NEGATED.get(operator, "not")
        if of(one.lexpr)[0] == "row_expr" and of(one.rexpr)[0] == "row_expr":
            return self._rows_compared(operator, of(one.lexpr)[1].args, of(one.rexpr)[1].args, scope)
        condition_ = truth_as_number(one.lexpr)
        zero = next((value.constant for value, _ in self.values(one.rexpr, scope)), None)
        if condition_ is not None and zero is not None:
            answers = [said for said in (True, False) if ordered(operator, str(int(said)), zero) is not False]
            return [branch for said in answers for branch in (self.truths if said else self.lies)(condition_, scope)]
        if operator == "=" and zero == "0" and (found := self.compares(one.lexpr, scope)) is not None:
            return found
        return self._pairs(operator, self.values(one.lexpr, scope), self.values(one.rexpr, scope)) + self._empty(
            operator, one.lexpr, one.rexpr, scope
        )

    def _empty(self, operator: str, left: Any, right: Any, scope: Scope) -> list[Branch]:
        """What a list holds or is within where it has nothing in it: everything."""
        part = {"<@": left, "@>": right, "?&": right}.get(operator)
        if part is None:
            return []
        kind, node = uncast(part)
        if kind == "sub_link" and node.sub_link_type == A.ARRAY_SUBLINK:
            return [()]
        if kind != "column_ref":
            return []
        sources = {source for value, _ in self.values(part, scope) for source in value.sources if source.kind == "row"}
        types = {self.row.fields[source.name].type for source in sources if self.row and source.name in self.row.fields}
        if not any(kind.endswith("[]") or kind in ("jsonb", "hstore") for kind in types):
            return []
        return [(Limit(Value(frozenset(sources)), "is empty", None, positive=False),)]

    def _between(self, one: Any, scope: Scope, *, within: bool, either: bool) -> list[Branch]:
        value, (low, high) = self.values(one.lexpr, scope), (self.values(end, scope) for end in of(one.rexpr)[1].items)
        found = []
        for first, last in ((low, high), (high, low)) if either else ((low, high),):
            if within:
                found += both(self._pairs(">=", value, first), self._pairs("<=", value, last))
            else:
                found += self._pairs("<", value, first) + self._pairs(">", value, last)
        return found

    def _quantified(self, one: Any, scope: Scope, *, yes: bool) -> list[Branch]:
        """ANY and ALL: one of them is enough, or each must be so."""
        operator = name_of(one.name)
        if not yes:
            operator = _NEGATED.get(operator, "not")
        left = self.values(one.lexpr, scope)
        if (one.kind == A.AEXPR_OP_ANY) is yes:
            return self._pairs(operator, left, self.elements(one.rexpr, scope))
        kind, listed = uncast(one.rexpr)
        if kind != "a_array_expr" or not listed.elements:  # of an empty one all are so
            return self._opaque([one.lexpr, one.rexpr], scope)
        branches: list[Branch] = [()]
        for element in listed.elements:
            branches = both(branches, self._pairs(operator, left, self.values(element, scope)))
        return branches

    def _rows_compared(self, operator: str, lefts: Any, rights: Any, scope: Scope) -> list[Branch]:
        pairs = [
            self._pairs(operator, self.values(left, scope), self.values(right, scope))
            for left, right in zip(lefts, rights, strict=False)
        ]
        if operator == "<>":
            return [branch for found in pairs for branch in found]
        if operator != "=":
            return self._opaque([*lefts, *rights], scope)
        branches: list[Branch] = [()]
        for found in pairs:
            branches = both(branches, found)
        return branches

    def _distinct(self, one: Any, scope: Scope, *, same: bool) -> list[Branch]:
        said = _said(one.rexpr)
        if said is not None:
            read = self.truths if said is same else self.lies
            return read(one.lexpr, scope) + ([] if same else self.nulls(one.lexpr, scope))
        if of(one.rexpr)[0] == "a_const" and of(one.rexpr)[1].isnull:
            return self._limited(one.lexpr, "is null" if same else "is not null", scope, positive=not same)
        found = self._pairs("=" if same else "<>", self.values(one.lexpr, scope), self.values(one.rexpr, scope))
        if same:  # nobody is not distinct from null
            found += both(self.nulls(one.lexpr, scope), self.nulls(one.rexpr, scope))
        else:  # and what is not found is distinct from whatever there is
            found += self.nulls(one.lexpr, scope) + self.nulls(one.rexpr, scope)
        return found

    def _pairs(self, operator: str, lefts: Values, rights: Values) -> list[Branch]:
        """One of these compared with one of those."""
        if len(rights) > 1 and all(v.sources for v, _ in lefts) and not any(v.sources or held for v, held in rights):
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

    def _opaque(self, nodes: list[Any], scope: Scope) -> list[Branch]:
        return [
            (Other(frozenset(s for node in nodes for value, _ in self.values(node, scope) for s in value.sources)),)
        ]


def _said(node: Any) -> bool | None:
    """Whether a node is true or false itself, and which."""
    kind, one = of(node)
    return bool(one.boolval.boolval) if kind == "a_const" and one.WhichOneof("val") == "boolval" else None


def _some(operator: str, left: Value, right: Value) -> bool:
    """Whether a count that passes is of at least one row."""
    none, other = ("0", right.constant) if left.counts else (left.constant, "0")
    return ordered(operator, none, "0" if left.counts and right.counts else other) is False
