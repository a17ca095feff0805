"""PostgreSQL's parse trees, a little shorter."""

from functools import lru_cache
from typing import Any

from userscope.postgres.parser import postgast

A: Any = postgast.pg_query_pb2


@lru_cache(maxsize=20_000)
def expression(text: str) -> Any:
    """Parse an expression, as ``pg_get_expr`` writes it. Raises Unreadable."""
    return statements(f"select {text}")[0].select_stmt.target_list[0].res_target.val


@lru_cache(maxsize=5_000)
def statements(text: str) -> list[Any]:
    """Parse statements. Raises Unreadable."""
    try:
        return [raw.stmt for raw in postgast.parse(text).stmts]
    except postgast.PgQueryError as error:
        raise Unreadable(str(error)) from error


class Unreadable(Exception):
    """The parser, which is of one version of PostgreSQL, cannot read it, or it is more than can be followed."""


def plpgsql(text: str) -> Any:
    """Parse a PL/pgSQL function's whole definition. Raises Unreadable."""
    try:
        return postgast.parse_plpgsql(text)
    except postgast.PgQueryError as error:
        raise Unreadable(str(error)) from error


def of(node: Any) -> tuple[str, Any]:
    """A node's kind, and itself."""
    if not isinstance(node, A.Node):
        return "", node
    kind = node.WhichOneof("node")
    return (kind, getattr(node, kind)) if kind else ("", node)


def uncast(node: Any) -> tuple[str, Any]:
    """The same, past its casts."""
    kind, one = of(node)
    while kind == "type_cast":
        kind, one = of(one.arg)
    return kind, one


def names_of(parts: Any) -> list[str]:
    """A name's parts; a star is ``*``."""
    return ["*" if of(part)[0] == "a_star" else part.string.sval for part in parts]


def builtin(names: list[str]) -> str | None:
    """The name of a function of PostgreSQL's; None where it is one of somebody's own, whatever it is called."""
    return names[-1] if len(names) == 1 or names[0] == "pg_catalog" else None


def name_of(parts: Any) -> str:
    """The last part of a name: an operator's, say."""
    return names_of(parts)[-1] if parts else ""


def constant(one: Any) -> str | None:
    """What a constant says, None for null."""
    match one.WhichOneof("val"):
        case "sval":
            return str(one.sval.sval)
        case "ival":
            return str(one.ival.ival)
        case "boolval":
            return "true" if one.boolval.boolval else "false"
        case "fval":
            return str(one.fval.fval)
        case "bsval":
            return str(one.bsval.bsval)
    return None
