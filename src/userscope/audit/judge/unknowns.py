"""Conditions that are neither true nor false, because something in them is null, and what goes on after them."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from userscope.audit.judge.presence import ABSENT
from userscope.audit.judge.profiles import Profile
from userscope.audit.judge.terms import Branch, Limit, Scope, Value, Values, both
from userscope.audit.judge.tree import A, builtin, name_of, names_of, of

_AGGREGATE = re.compile(r'sval: "(count|bool_or|bool_and|every)"')


class Unknowns:
    """Reads when expressions are null; what it reads them with stands beside it in Reader."""

    profile: Profile
    truths: Callable[[Any, Scope], list[Branch]]
    lies: Callable[[Any, Scope], list[Branch]]
    values: Callable[[Any, Scope], Values]
    function: Callable[[Any, Scope], Any]
    _pairs: Callable[[str, Values, Values], list[Branch]]

    def nulls(self, node: Any, scope: Scope) -> list[Branch]:
        """The ways in which an expression is neither: something in it is null."""
        kind, one = of(node)
        match kind:
            case "a_const":
                return [()] if one.isnull else []
            case "null_test" | "boolean_test":
                return []
            case "sub_link":
                return [] if one.sub_link_type == A.EXISTS_SUBLINK else [()]
            case "bool_expr":
                read = {A.AND_EXPR: self.truths, A.OR_EXPR: self.lies}.get(one.boolop)
                decided: list[Branch] = [()]
                found: list[Branch] = []
                for arg in one.args:
                    rest, unknown = read(arg, scope) if read else [], self.nulls(arg, scope)
                    found = both(found, rest + unknown) + both(decided, unknown)
                    decided = both(decided, rest)
                return found
            case "column_ref" if kept := scope.variable(names_of(one.fields)):
                if kept.column is None:
                    return self.nulls(kept.node, kept.scope)
                query = of(kept.node)[1]
                node = query.target_list[kept.column].res_target.val
                one_row = not query.from_clause or _AGGREGATE.search(str(node))
                return self.nulls(node, kept.scope) if one_row else [()]
            case "a_expr" if one.kind in (A.AEXPR_DISTINCT, A.AEXPR_NOT_DISTINCT):
                return []
            case "a_expr" if name_of(one.name) in ("->", "->>", "#>", "#>>") and any(
                value.sources for value, _ in self.values(one.rexpr, scope)
            ):
                return [()]
            case "a_expr" if one.kind != A.AEXPR_NULLIF:
                return self.nulls(one.lexpr, scope) + self.nulls(one.rexpr, scope)
            case "case_expr":
                return [()]
            case "func_call" if self.function(one, scope) and not self.profile.identity(names_of(one.funcname)):
                return [()]
            case "func_call" if builtin(names_of(one.funcname)) in ABSENT:
                return [()]
        sources = {source for value, _ in self.values(node, scope) for source in value.sources}
        return [(Limit(Value(frozenset({source})), "is null", None, positive=False),) for source in sorted(sources)]

    def tested(self, one: Any, scope: Scope) -> list[Branch]:
        """What IS TRUE and its kin let pass."""
        reads: dict[Any, list[Callable[[Any, Scope], list[Branch]]]] = {
            A.IS_TRUE: [self.truths],
            A.IS_NOT_TRUE: [self.lies, self.nulls],
            A.IS_FALSE: [self.lies],
            A.IS_NOT_FALSE: [self.truths, self.nulls],
            A.IS_UNKNOWN: [self.nulls],
            A.IS_NOT_UNKNOWN: [self.truths, self.lies],
        }
        return [branch for read in reads[one.booltesttype] for branch in read(one.arg, scope)]

    def first(self, one: Any, scope: Scope) -> list[Branch]:
        """What COALESCE lets pass: what is true where all before it is null."""
        found: list[Branch] = []
        before: list[Branch] = [()]
        for arg in one.args:
            found += both(before, self.truths(arg, scope))
            before = both(before, self.nulls(arg, scope))
        return found

    def arms(self, one: Any, scope: Scope) -> Iterator[tuple[list[Branch], Any]]:
        """The results of a CASE, each with what holds then."""
        before: list[Branch] = [()]
        for arm in one.args:
            test = arm.case_when.expr
            unknown = self.nulls(test, scope)
            if one.HasField("arg"):
                yes, no = self.values(one.arg, scope), self.values(test, scope)
                holds, fails = self._pairs("=", yes, no), self._pairs("<>", yes, no)
                unknown += self.nulls(one.arg, scope)
            else:
                holds, fails = self.truths(test, scope), self.lies(test, scope)
            yield both(before, holds), arm.case_when.result
            before = both(before, fails + unknown)
        if one.HasField("defresult"):
            yield before, one.defresult
