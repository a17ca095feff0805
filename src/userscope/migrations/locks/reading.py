"""Finds in a statement, by PostgreSQL's own parser, which tables it locks, and how: kinds of ``kinds``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from userscope.migrations.locks.kinds import Lock
from userscope.postgres.parser import postgast

_ENUMS: Any = postgast.pg_query_pb2
# Beginnings of what locks more than reading and adding rows does: nothing else is parsed.
_LOCKS = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:alter|create|drop|comment|truncate|update|delete|merge|with|lock|vacuum|analyze|"
    r"cluster|reindex|refresh|set|reset|do|call)\b",
    re.IGNORECASE | re.DOTALL,
)
_ALTER = {
    "AT_ColumnDefault": "alter",
    "AT_SetNotNull": "not null",
    "AT_SetStatistics": "alter quietly",
    "AT_SetOptions": "alter quietly",
    "AT_ResetOptions": "alter quietly",
    "AT_SetRelOptions": "alter quietly",
    "AT_ResetRelOptions": "alter quietly",
    "AT_ClusterOn": "alter quietly",
    "AT_DropCluster": "alter quietly",
    "AT_AlterColumnType": "column type",
    "AT_SetExpression": "rewrite",
    "AT_SetLogged": "rewrite",
    "AT_SetUnLogged": "rewrite",
    "AT_SetAccessMethod": "rewrite",
    "AT_SetTableSpace": "rewrite",
    "AT_ValidateConstraint": "validate",
}
_OF_TABLE = {
    "OBJECT_TABLE": "drop",
    "OBJECT_VIEW": "drop",
    "OBJECT_MATVIEW": "drop",
    "OBJECT_TRIGGER": "drop trigger",
    "OBJECT_POLICY": "policy",
    "OBJECT_RULE": "rule",
}
# What no row has its own value of.
_SAME_FOR_ALL = {
    "now",
    "transaction_timestamp",
    "statement_timestamp",
    "current_setting",
    "current_database",
    "version",
}
_SERIAL = {"serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"}


@dataclass(frozen=True)
class Effect:
    """What a statement does to a table, or to an index's table, by its name."""

    kind: str
    schema: str
    name: str
    dropped: str | None = None
    """The constraint that goes, "" for all: what a foreign key refers to is locked as well."""


class Unknown(Exception):
    """A statement runs code of its own, which is not looked into."""


def may_lock(sql: str) -> bool:
    """Whether a statement is worth parsing: told by its first word."""
    return _LOCKS.match(sql) is not None


def effects(sql: str) -> list[Effect]:
    """Return what a statement does to which tables. Raises Unknown for a block of code, or a call."""
    found: list[Effect] = []
    for raw in postgast.parse(sql).stmts:
        kind = raw.stmt.WhichOneof("node") or ""
        if kind in ("do_stmt", "call_stmt"):
            raise Unknown
        reader = _READERS.get(kind)
        if reader is not None:
            found += reader(getattr(raw.stmt, kind))
    return found


def search_path(sql: str) -> list[str] | None:
    """Return the schemas of a ``set search_path``; None for any other statement."""
    if not re.match(r"\s*set\b", sql, re.IGNORECASE):
        return None
    node: Any = postgast.parse(sql).stmts[0].stmt.variable_set_stmt
    return [each.a_const.sval.sval for each in node.args] if node.name == "search_path" and node.args else None


def _on(kind: str, relation: Any) -> Effect:
    return Effect(kind, relation.schemaname, relation.relname)


def _alter(node: Any) -> Iterator[Effect]:
    if _ENUMS.ObjectType.Name(node.objtype) not in ("OBJECT_TABLE", "OBJECT_MATVIEW", "OBJECT_VIEW"):
        return
    for command in (each.alter_table_cmd for each in node.cmds):
        name = _ENUMS.AlterTableType.Name(command.subtype)
        if name == "AT_AddColumn":
            yield from _column(node.relation, getattr(command, "def").column_def)
        elif name == "AT_AddConstraint":
            yield from _constraint(node.relation, getattr(command, "def").constraint)
        elif name in ("AT_AttachPartition", "AT_DetachPartition"):
            partition = getattr(command, "def").partition_cmd
            attaches = name == "AT_AttachPartition"
            if not partition.concurrent:
                yield _on("attach to" if attaches else "detach", node.relation)
                yield _on("attach" if attaches else "detach", partition.name)
        elif name == "AT_DropConstraint":
            yield replace(_on("drop constraint", node.relation), dropped=command.name)
        elif "Trig" in name:
            yield _on("triggers", node.relation)
        else:
            yield _on(_ALTER.get(name, "alter"), node.relation)


def _column(relation: Any, column: Any) -> Iterator[Effect]:
    yield _on("add column", relation)
    type_name = column.type_name.names[-1].string.sval if column.type_name.names else ""
    if type_name in _SERIAL:
        yield _on("add filled column", relation)
    for constraint in (each.constraint for each in column.constraints):
        kind = _ENUMS.ConstrType.Name(constraint.contype)
        stored = kind == "CONSTR_GENERATED" and constraint.generated_kind != "v"
        if stored or kind == "CONSTR_IDENTITY" or (kind == "CONSTR_DEFAULT" and _differs(constraint.raw_expr)):
            yield _on("add filled column", relation)
        elif kind == "CONSTR_CHECK":
            yield _on("add checked column", relation)
        elif kind in ("CONSTR_UNIQUE", "CONSTR_PRIMARY"):
            yield _on("add unique column", relation)
        elif kind == "CONSTR_FOREIGN":
            yield _on("referenced", constraint.pktable)


def _differs(expression: Any) -> bool:
    """Whether each row may get a value of its own: a function is called that is not known to answer all alike."""
    calls = re.findall(r'func_call \{\s*((?:funcname \{\s*string \{\s*sval: "[^"]*"\s*\}\s*\}\s*)+)', str(expression))
    return any(re.findall(r'sval: "([^"]*)"', call)[-1] not in _SAME_FOR_ALL for call in calls)


def _constraint(relation: Any, constraint: Any) -> Iterator[Effect]:
    kind = _ENUMS.ConstrType.Name(constraint.contype)
    later = " not valid" if constraint.skip_validation else ""
    if kind == "CONSTR_FOREIGN":
        yield _on(f"foreign key{later}", relation)
        yield _on("referenced", constraint.pktable)
    elif kind in ("CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_EXCLUSION"):
        yield _on("using index" if constraint.indexname else "unique", relation)
    elif kind in ("CONSTR_CHECK", "CONSTR_NOTNULL"):
        yield _on(f"check{later}", relation)


def _create(node: Any) -> Iterator[Effect]:
    for element in node.table_elts:
        for constraint in (element.constraint, *(each.constraint for each in element.column_def.constraints)):
            if constraint.pktable.relname:
                yield _on("referenced", constraint.pktable)
    for parent in node.inh_relations:
        yield _on("partition of" if node.HasField("partbound") else "inherited", parent.range_var)


def _drop(node: Any) -> Iterator[Effect]:
    kind = _ENUMS.ObjectType.Name(node.remove_type)
    for item in node.objects:
        names = [each.string.sval for each in item.list.items]
        if kind in ("OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"):
            names.pop()
        schema = names[-2] if len(names) > 1 else ""
        if kind == "OBJECT_INDEX":
            yield Effect("drop index concurrently" if node.concurrent else "drop index", schema, names[-1])
        elif kind in _OF_TABLE:
            yield Effect(_OF_TABLE[kind], schema, names[-1], "" if kind == "OBJECT_TABLE" else None)


def _comment(node: Any) -> Iterator[Effect]:
    kind = _ENUMS.ObjectType.Name(node.objtype)
    names = [each.string.sval for each in node.object.list.items]
    if kind == "OBJECT_COLUMN":
        names.pop()
    if kind in ("OBJECT_TABLE", "OBJECT_COLUMN") and names:
        yield Effect("comment", names[-2] if len(names) > 1 else "", names[-1])


def _rename(node: Any) -> Iterator[Effect]:
    if node.relation.relname and _ENUMS.ObjectType.Name(node.rename_type) not in ("OBJECT_INDEX", "OBJECT_SEQUENCE"):
        yield _on("rename", node.relation)


def _vacuum(node: Any) -> Iterator[Effect]:
    full = node.is_vacuumcmd and any(option.def_elem.defname == "full" for option in node.options)
    for each in node.rels:
        yield _on("vacuum full" if full else "vacuum", each.vacuum_relation.relation)


def _reindex(node: Any) -> Iterator[Effect]:
    concurrently = any(option.def_elem.defname == "concurrently" for option in node.params)
    if node.relation.relname:
        yield _on("reindex concurrently" if concurrently else "reindex", node.relation)


def _one(kind: str, field: str = "relation") -> Any:
    return lambda node: [_on(kind, getattr(node, field))]


_READERS: dict[str, Any] = {
    "alter_table_stmt": _alter,
    "create_stmt": _create,
    "drop_stmt": _drop,
    "comment_stmt": _comment,
    "rename_stmt": _rename,
    "vacuum_stmt": _vacuum,
    "reindex_stmt": _reindex,
    "alter_object_schema_stmt": lambda node: [_on("alter", node.relation)] if node.relation.relname else [],
    "index_stmt": lambda node: [_on("index concurrently" if node.concurrent else "index", node.relation)],
    "create_trig_stmt": _one("trigger"),
    "create_policy_stmt": _one("policy", "table"),
    "alter_policy_stmt": _one("policy", "table"),
    "rule_stmt": _one("rule"),
    "create_stats_stmt": lambda node: [_on("statistics", each.range_var) for each in node.relations],
    "truncate_stmt": lambda node: [_on("truncate", each.range_var) for each in node.relations],
    "update_stmt": _one("write"),
    "delete_stmt": _one("write"),
    "merge_stmt": _one("write"),
    "cluster_stmt": lambda node: [_on("cluster", node.relation)] if node.relation.relname else [],
    "refresh_mat_view_stmt": lambda node: [
        _on("refresh concurrently" if node.concurrent else "refresh", node.relation)
    ],
    "lock_stmt": lambda node: [_on(f"lock {list(Lock)[node.mode - 1]}", each.range_var) for each in node.relations],
}
