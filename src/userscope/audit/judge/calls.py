"""Values and calls: what is said of the caller, and the bodies of functions."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from userscope.audit.judge.bodies import Bodies
from userscope.audit.judge.presence import PATH_STEP, Presence
from userscope.audit.judge.profiles import Profile
from userscope.audit.judge.terms import Branch, Other, Scope, Source, TooWide, Value, Values, part, sources_of
from userscope.audit.judge.tree import A, builtin, constant, expression, name_of, names_of, of

_AGGREGATES = {"array_agg", "max", "min", "string_agg", "json_agg", "jsonb_agg", "any_value", "unnest"}
_LOGINS = {A.SVFOP_CURRENT_USER, A.SVFOP_SESSION_USER, A.SVFOP_USER, A.SVFOP_CURRENT_ROLE}
_LENIENT = re.compile("concat|format|json|num_")
"""Functions that are not null where an argument is."""
_NIL = re.compile("0{8}-0{4}-0{4}-0{4}-0{12}")
_ME = {"current_user", "session_user", "user", "current_role"}


class Calls(Bodies, Presence):
    """Reads values; what it reads conditions with stands beside it in Reader."""

    profile: Profile
    known: frozenset[int]
    elements: Callable[[Any, Scope], Values]
    arms: Callable[[Any, Scope], Iterator[tuple[list[Branch], Any]]]

    def values(self, node: Any, scope: Scope) -> Values:
        """What an expression can be, and what holds then."""
        kind, one = of(node)
        match kind:
            case "a_const":
                return [(Value(constant=constant(one), null=one.isnull), ())]
            case "column_ref":
                return scope.find(names_of(one.fields))
            case "param_ref":
                return scope.find([f"${one.number}"])
            case "type_cast" | "collate_clause":
                return self.values(one.arg, scope)
            case "a_indirection":
                found = self.values(one.arg, scope)
                for step in one.indirection:
                    if step.WhichOneof("node") == "string":
                        found = [(part(value, step.string.sval), branch) for value, branch in found]
                    elif of(step)[0] == "a_indices":
                        at = self.values(step.a_indices.uidx, scope)[0][0].constant
                        found = [(value.step([at] if at else []), branch) for value, branch in found]
                        found = self.keyed(step.a_indices.uidx, found, scope)
                return found
            case "sub_link":
                if one.sub_link_type in (A.EXPR_SUBLINK, A.ARRAY_SUBLINK):
                    return self._of_rows(self.rows(one.subselect, scope))
                return self._made_of([], scope)
            case "a_expr":
                return self._operated(one, scope)
            case "func_call":
                return self._called(one, scope)
            case "sqlvalue_function":
                return [(Value(frozenset({Source("me", "login")})), ())] if one.op in _LOGINS else [(Value(), ())]
            case "case_expr":
                return [
                    (value, (*held, *branch))
                    for before, result in self.arms(one, scope)
                    for value, branch in self.values(result, scope)
                    for held in before
                ]
            case "coalesce_expr":
                return self._coalesced(one, scope)
            case "a_array_expr" | "row_expr" | "min_max_expr":
                return self._made_of(list(one.elements if kind == "a_array_expr" else one.args), scope)
            case "json_func_expr":
                (path, _), *_ = self.values(one.pathspec, scope)
                steps = PATH_STEP.findall(path.constant or "")
                return [(value.step(steps), held) for value, held in self.values(one.context_item.raw_expr, scope)]
            case "null_test" | "boolean_test" | "bool_expr":
                return self._made_of([one.arg] if kind != "bool_expr" else list(one.args), scope)
        return [(Value(), ())]

    def _of_rows(self, rows: Any) -> Values:
        found = [(columns[0][1] if columns else Value(), branch) for columns, branch in rows]
        if len(found) > 100:
            raise TooWide
        return found

    def _coalesced(self, one: Any, scope: Scope) -> Values:
        """One of them; with the identity and a row among them, a mixture."""
        parts = [self.values(arg, scope) for arg in one.args]
        sources = {source for part in parts for value, _ in part for source in value.sources}
        kinds = {(source.kind, source.of) for source in sources}
        held = [branch for part in parts for _, branch in part]
        if len(kinds) > 1:
            return [(Value(frozenset(sources)), _perhaps(held))]
        last = next((value.constant for part in parts for value, _ in part if _plain(value)), None)
        found = [(replace(value, constant=last), branch) for part in parts for value, branch in part if value.sources]
        found += [(value, branch) for part in parts for value, branch in part if value.counts]
        if last is not None and any(held):  # where what comes before is not there at all
            found.append((Value(constant=last, nobody=bool(_NIL.fullmatch(last))), ()))
        return found or next((part for part in parts if not all(value.null for value, _ in part)), parts[0])

    def _made_of(self, nodes: list[Any], scope: Scope, *, strict: bool = False) -> Values:
        """A value made of others; ``strict``: null where one of them is."""
        found: Values = [(Value(), ())]
        for node in nodes:
            values = self.values(node, scope)
            if len(found) * len(values) > 100:
                raise TooWide
            found = [
                (
                    Value(
                        value.sources | more.sources,
                        value.constant if more.constant is None else more.constant,
                        null=strict and (value.null or more.null),
                    ),
                    branch + (_perhaps([held]) if more.counts else held),
                )
                for value, branch in found
                for more, held in values
            ]
        if len(nodes) != 1:
            found = [(Value(value.sources, null=value.null), branch) for value, branch in found]
        return found

    def _operated(self, one: Any, scope: Scope) -> Values:
        operator = name_of(one.name)
        if one.kind == A.AEXPR_NULLIF:
            return [
                (replace(value, constant=None) if value.sources else value, branch)
                for value, branch in self.values(one.lexpr, scope)
            ]
        if operator in ("->", "->>", "#>", "#>>"):
            steps = self.values(one.rexpr, scope)[0][0].constant or ""
            path = steps.strip("{}").replace('"', "").split(",")
            found = [(value.step(path), branch) for value, branch in self.values(one.lexpr, scope)]
            return self.keyed(one.rexpr, found, scope)
        found = self._made_of([side for side in (one.lexpr, one.rexpr) if side.WhichOneof("node")], scope, strict=True)
        if operator == "||":  # what begins or ends with the identity is the identity's
            sides = [value for side in (one.lexpr, one.rexpr) for value, _ in self.values(side, scope)]
            last = next((value.constant for value in sides if value.sources and value.constant is not None), None)
            return [
                (Value(frozenset(s for s in value.sources if s.kind == "me") or value.sources, last), branch)
                for value, branch in found
            ]
        return found

    def _called(self, one: Any, scope: Scope) -> Values:
        found = self._answered(one, scope)
        if not one.HasField("agg_filter"):
            return found
        return [(value, branch + held) for value, branch in found for held in self.truths(one.agg_filter, scope)]

    def _answered(self, one: Any, scope: Scope) -> Values:
        names = names_of(one.funcname)
        name = builtin(names) or ""
        if name == "current_setting":
            setting = self.values(one.args[0], scope)[0][0].constant
            # What was set for one transaction is '' in the session's next.
            return [(Value(frozenset({Source("me", self.profile.setting(setting or "?"))}), ""), ())]
        known = self.profile.identity(names)
        if known:
            return [(Value(frozenset({Source("me", known)})), ())]
        if name in _ME and len(one.args) == 0:
            return [(Value(frozenset({Source("me", "login")})), ())]
        if re.fullmatch("jsonb?_extract_path(_text)?", name) and one.args:
            path = [value.constant or "" for arg in one.args[1:] for value, _ in self.elements(arg, scope)]
            return [(value.step(path), branch) for value, branch in self.values(one.args[0], scope)]
        if name == "pg_has_role":
            (role, _), *_ = self.values(one.args[-2], scope)
            return [(Value(frozenset({Source("me", f"member of {role.constant or '?'}")})), ())]
        if name == "count":
            return [(Value(counts=True), ())]
        if name in _AGGREGATES and one.args:
            return self.elements(one.args[0], scope)
        if name == "coalesce":
            return self._coalesced(one, scope)
        if name in ("jsonb_path_query", "jsonb_path_query_first") and (asked := self.path(one, scope)) is not None:
            return [(value, branch + held) for value, branch in self.values(one.args[0], scope) for held in asked]
        looked = self.looked_for(one, scope)
        if looked is not None:
            return [(Value(counts=True), branch) for branch in looked]
        function = self.function(one, scope)
        if function is None or (self.profile.plain(names) and function.arguments):
            return self._made_of(list(one.args), scope, strict=not _LENIENT.match(name))
        found = self.body_values(function, self.bound(function, one, scope), scope)
        if found is None:
            sources = {Source("call", function.signature, function.oid)}
            return [
                (Value(frozenset(sources) | value.sources), branch)
                for value, branch in self._made_of(list(one.args), scope)
            ]
        return found

    def called_truths(self, one: Any, scope: Scope) -> list[Branch] | None:
        """The ways in which a call is true; None where it is no function of somebody's own, or a value like others."""
        names = names_of(one.funcname)
        if builtin(names) in ("bool_or", "bool_and", "every") and one.args:
            return self.truths(one.args[0], scope)
        found = self.by_name(one, scope)
        if found is not None:
            return found
        function = self.function(one, scope)
        if function is None or self.profile.identity(names) or self.profile.plain(names):
            return None
        return self.body_truths(function, self.bound(function, one, scope), scope)

    def called_rows(self, one: Any, scope: Scope) -> Any:
        """The rows that a call gives; None as above."""
        function = self.function(one, scope)
        if function is None or self.profile.identity(names_of(one.funcname)):
            return None
        return self.body_rows(function, self.bound(function, one, scope), scope)

    def function(self, one: Any, scope: Scope) -> Any:
        """The function of somebody's own that is called."""
        names = names_of(one.funcname)
        return None if names[0] == "pg_catalog" else self.catalog.function(names, len(one.args), scope.near, self.known)

    def bound(self, function: Any, one: Any, scope: Scope) -> dict[str, Values]:
        """A call's arguments by name and number."""
        found: dict[str, Values] = {}
        place = 0
        for arg in one.args:
            kind, named = of(arg)
            if kind == "named_arg_expr":
                found[named.name] = self.values(named.arg, scope)
                continue
            found[f"${place + 1}"] = self.values(arg, scope)
            place += 1
        for place, name in enumerate(function.inputs):
            key = f"${place + 1}"
            if key not in found:
                default = function.defaults[place]
                found[key] = found[name] if name in found else self.values(expression(default or "null"), Scope())
            if name:
                found[name] = found[key]
        return found


def _plain(value: Value) -> bool:
    return not value.sources and not value.counts and not value.null


def _perhaps(held: list[Branch]) -> Branch:
    """What may hold, or not: where a value is there without it as well."""
    sources = frozenset(source for branch in held for source in sources_of(branch))
    return (Other(sources),) if sources else ()
