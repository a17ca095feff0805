"""The row that a query gives of no row at all: aggregates without GROUP BY always give one."""

from typing import Any

from userscope.audit.judge.terms import Branch, Value, ordered
from userscope.audit.judge.tree import A, builtin, constant, name_of, names_of, of

type Rows = list[tuple[list[tuple[str, Value]], Branch]]
"""The columns of a row by name, and what holds for it."""
_AGGREGATES = {
    *("count", "sum", "avg", "min", "max", "bool_and", "bool_or", "every", "any_value", "array_agg", "string_agg"),
    *("json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg", "bit_and", "bit_or", "bit_xor"),
}
_NULL = Value(null=True)
_UNKNOWN = Value()
_YES, _NO = Value(constant="true"), Value(constant="false")


def none(select: Any) -> Rows:
    """What a SELECT gives where its condition lets nothing pass: no row, or that of its aggregates."""
    targets = [target.res_target for target in select.target_list]
    grouped = select.group_clause or select.HasField("having_clause")
    if grouped or not any(_aggregates(target.val) for target in targets):
        return []
    named = []
    for place, target in enumerate(targets):
        kind, one = of(target.val)
        named.append((target.name or (name_of(one.funcname) if kind == "func_call" else f"?{place}"), target))
    return [([(name, _of_nothing(target.val)) for name, target in named], ())]


def _aggregates(node: Any) -> bool:
    """Whether an expression has an aggregate in it, beside its sub-selects."""
    kind, one = of(node)
    if kind == "sub_link" or not hasattr(one, "ListFields"):
        return False
    if kind == "func_call" and not one.HasField("over") and builtin(names_of(one.funcname)) in _AGGREGATES:
        return True
    for _, value in one.ListFields():
        parts = value if hasattr(value, "__len__") and not isinstance(value, str | bytes) else [value]
        if any(hasattr(part, "ListFields") and _aggregates(part) for part in parts):
            return True
    return False


def _of_nothing(node: Any) -> Value:
    kind, one = of(node)
    match kind:
        case "a_const":
            return Value(constant=constant(one), null=one.isnull)
        case "type_cast":
            return _of_nothing(one.arg)
        case "func_call" if builtin(names_of(one.funcname)) in _AGGREGATES:
            return Value(constant="0") if name_of(one.funcname) == "count" else _NULL
        case "func_call" | "a_expr" | "a_indirection":
            return _strict(kind, one)
        case "coalesce_expr":
            return next((value for arg in one.args if not (value := _of_nothing(arg)).null), _NULL)
        case "null_test" | "boolean_test":
            return _tested(kind, one, _of_nothing(one.arg))
        case "bool_expr":
            return _joined(one)
    return _UNKNOWN


def _strict(kind: str, one: Any) -> Value:
    """Null where a part is; a comparison of two constants."""
    sides = [one.lexpr, one.rexpr] if kind == "a_expr" else list(one.args) if kind == "func_call" else [one.arg]
    values = [_of_nothing(side) for side in sides]
    if any(value.null for value in values):
        return _NULL
    said = None
    if kind == "a_expr" and one.kind == A.AEXPR_OP and len(values) > 1:
        said = ordered(name_of(one.name), values[0].constant, values[1].constant)
    return _UNKNOWN if said is None else _YES if said else _NO


def _tested(kind: str, one: Any, value: Value) -> Value:
    if not value.null and value.constant is None:
        return _UNKNOWN
    if kind == "null_test":
        return _YES if value.null == (one.nulltesttype == A.IS_NULL) else _NO
    said = {A.IS_UNKNOWN: value.null, A.IS_NOT_UNKNOWN: not value.null}.get(one.booltesttype)
    if said is None:
        wanted = _YES if one.booltesttype in (A.IS_TRUE, A.IS_NOT_TRUE) else _NO
        said = (value == wanted) is (one.booltesttype in (A.IS_TRUE, A.IS_FALSE))
    return _YES if said else _NO


def _joined(one: Any) -> Value:
    values = [_of_nothing(arg) for arg in one.args]
    if one.boolop == A.NOT_EXPR:
        return {_YES: _NO, _NO: _YES, _NULL: _NULL}.get(values[0], _UNKNOWN)
    decides, other = (_NO, _YES) if one.boolop == A.AND_EXPR else (_YES, _NO)
    if decides in values:
        return decides
    return other if all(value == other for value in values) else _NULL if _NULL in values else _UNKNOWN
