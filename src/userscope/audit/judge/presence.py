"""What tells by a number, by null or by a path in JSON that something is there: true only where it is equal."""

import re
from collections.abc import Callable
from typing import Any

from userscope.audit.judge.terms import Branch, Other, Scope, Values
from userscope.audit.judge.tree import A, builtin, constant, name_of, names_of, of

_LOOKS = {
    "array_position": "=",
    "array_positions": "=",
    "strpos": "~",
    "position": "~",
    "regexp_count": "~",
    "regexp_instr": "~",
    "regexp_match": "~",
    "regexp_substr": "~",
}
"""Functions that look for their second argument in their first: by which operator."""
_LENGTHS = {"cardinality", "array_length"}
ABSENT = {"array_position", "regexp_match", "regexp_substr", "jsonb_path_query_first"}
"""Those that are null where it is not there."""
_PATHS = re.compile(r"jsonb_path_(exists|match|query|query_first)(?:_tz)?")
_EQUAL = re.compile(r"[a-z0-9]+_?eq")
_ORDERED = re.compile(r"(?:bt)?[a-z0-9]+_?cmp")
_OPERATORS = {
    "starts_with": "^@",
    "regexp_like": "~",
    "textlike": "~~",
    "texticlike": "~~*",
    "textregexeq": "~",
    "arraycontains": "@>",
    "arraycontained": "<@",
    "arrayoverlap": "&&",
    "jsonb_contains": "@>",
    "jsonb_contained": "<@",
    "jsonb_exists": "?",
    "jsonb_exists_any": "?|",
    "jsonb_path_exists": "@?",
    "jsonb_path_match": "@@",
}
"""Functions of two arguments that are operators by another name."""
PATH_STEP = re.compile(r'\."?(\w+)')
_QUOTED = re.compile(r'\$"(\w+)"')
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
_CHOICES = re.compile(r"\|\||!|<>|like_regex|is\s+unknown")


class Presence:
    """Reads what looks for something; what it reads that with stands beside it in Reader."""

    truths: Callable[[Any, Scope], list[Branch]]
    values: Callable[[Any, Scope], Values]
    elements: Callable[[Any, Scope], Values]
    _pairs: Callable[[str, Values, Values], list[Branch]]
    _empty: Callable[[str, Any, Any, Scope], list[Branch]]

    def looked_for(self, one: Any, scope: Scope) -> list[Branch] | None:
        """The ways in which what a call looks for is there; None where it looks for nothing."""
        name = builtin(names_of(one.funcname))
        if name in _LENGTHS and one.args and of(one.args[0])[0] == "func_call":
            inner = of(one.args[0])[1]
            return self.looked_for(inner, scope) if builtin(names_of(inner.funcname)) == "array_positions" else None
        if name not in _LOOKS or len(one.args) < 2:
            return None
        where = self.elements if _LOOKS[name] == "=" else self.values
        return self._pairs(_LOOKS[name], where(one.args[0], scope), self.values(one.args[1], scope))

    def by_name(self, one: Any, scope: Scope) -> list[Branch] | None:
        """The ways in which a function is true that is an operator by another name; None where it is none."""
        name = builtin(names_of(one.funcname)) or ""
        if path := _PATHS.fullmatch(name):
            asked = self.path(one, scope)
            if asked is not None or len(one.args) > 2:
                return asked if path[1] in ("exists", "match") else None
        operator = _OPERATORS.get(name) or ("=" if _EQUAL.fullmatch(name) else None)
        if operator is None or len(one.args) != 2:
            return None
        left, right = one.args
        found = self._pairs(operator, self.values(left, scope), self.values(right, scope))
        return found + self._empty(operator, left, right, scope)

    def compares(self, node: Any, scope: Scope) -> list[Branch] | None:
        """The ways in which a function that orders two values finds them equal; None where it is none."""
        kind, one = of(node)
        if kind != "func_call" or len(one.args) != 2 or not _ORDERED.fullmatch(builtin(names_of(one.funcname)) or ""):
            return None
        return self._pairs("=", self.values(one.args[0], scope), self.values(one.args[1], scope))

    def path(self, one: Any, scope: Scope) -> list[Branch] | None:
        """What holds where a path in JSON finds something: what it compares with its variables; None without these."""
        if len(one.args) < 3:
            return None
        document, path, given = one.args[:3]
        name = (builtin(names_of(one.funcname)) or "").removesuffix("_tz")
        return self.found_by(document, path, self._given(given, scope), scope, predicate=name == "jsonb_path_match")

    def found_by(
        self, document: Any, path: Any, given: dict[str, Values], scope: Scope, *, predicate: bool
    ) -> list[Branch]:
        """What holds where a path finds something in a document, or is true of it."""
        documents = self.values(document, scope)
        (text, _), *_ = self.values(path, scope)
        for name in _required("" if text.sources else text.constant or "", predicate):
            if name in given:
                return self._pairs("=", documents, given[name])
        parts = [*documents, *(value for values in given.values() for value in values)]
        return [(Other(frozenset(source for value, _ in parts for source in value.sources)),)]

    def json_found(self, one: Any, scope: Scope) -> list[Branch]:
        """The ways in which JSON_EXISTS is true."""
        given = {
            argument.name: self.values(argument.val.raw_expr, scope)
            for node in one.passing
            for argument in [node.json_argument]
        }
        return self.found_by(one.context_item.raw_expr, one.pathspec, given, scope, predicate=False)

    def _given(self, node: Any, scope: Scope) -> dict[str, Values]:
        """The variables of a path: by name where an object is built of them."""
        kind, one = of(node)
        if kind == "type_cast":
            return self._given(one.arg, scope)
        if kind == "func_call" and builtin(names_of(one.funcname)) in ("jsonb_build_object", "json_build_object"):
            names = [constant(of(name)[1]) if of(name)[0] == "a_const" else _cast(name) for name in one.args[::2]]
            return {name or "": self.values(value, scope) for name, value in zip(names, one.args[1::2], strict=False)}
        return {"": self.values(node, scope)}

    def keyed(self, steps: Any, found: Values, scope: Scope) -> Values:
        """What a document holds by the key ``steps``, where that is somebody's: there, if the document names them."""
        keys = [(key, held) for key, held in self.values(steps, scope) if key.sources]
        if not keys:
            return found
        return [
            (value, (*branch, *held, *more))
            for value, branch in found
            for key, held in keys
            if key.entities != value.entities
            for more in self._pairs("?", [(value, ())], [(key, ())])
        ]


def truth_as_number(node: Any) -> Any:
    """The condition that a cast makes a number of; None where there is none."""
    kind, one = of(node)
    if kind != "type_cast" or not names_of(one.type_name.names)[-1].startswith("int"):
        return None
    inner, arg = of(one.arg)
    logical = inner in ("bool_expr", "null_test", "boolean_test") or (
        inner == "a_expr" and arg.kind == A.AEXPR_OP and name_of(arg.name) in ("=", "<>", "@>", "<@", "&&")
    )
    return one.arg if logical else None


def _cast(node: Any) -> str | None:
    kind, one = of(node)
    if kind == "type_cast" and of(one.arg)[0] == "a_const":
        return constant(of(one.arg)[1])
    return None


def _required(path: str, predicate: bool) -> list[str]:
    """The variables that something in the document must be equal to, for a path to find it, or to be true."""
    path = _STRINGS.sub('""', _QUOTED.sub(r"$\1", path))
    if _CHOICES.search(path):
        return []
    if not predicate:
        start = path.find("?")
        if start < 0:
            return []
        path = path[start:]
    inside = r"[@$](?!\w)[^&?=<>+*/%-]*"
    return re.findall(rf"{inside}==\s*\$(\w+)\s*(?:[)&]|$)", path) + re.findall(rf"\$(\w+)\s*==\s*{inside}", path)
