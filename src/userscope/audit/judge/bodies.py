"""The bodies of functions: SQL, and PL/pgSQL that is assignments, IF, SELECT INTO and RETURN."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from userscope.audit.judge.catalog import Catalog, Function
from userscope.audit.judge.terms import Branch, Kept, Limit, Link, Other, Scope, TooWide, Value, Values, both
from userscope.audit.judge.tree import Unreadable, expression, of, plpgsql, statements

_DEEP = 6
_VARIABLE = re.compile(r"\breturn\s+(?!next\b|query\b)(\w+)\s*;", re.IGNORECASE)


class Bodies:
    """Reads functions' bodies; what cannot be read is None."""

    catalog: Catalog
    truths: Callable[[Any, Scope], list[Branch]]
    lies: Callable[[Any, Scope], list[Branch]]
    nulls: Callable[[Any, Scope], list[Branch]]
    values: Callable[[Any, Scope], Values]
    rows: Callable[..., Any]
    row_truths: Callable[[Any, Scope], list[Branch]]
    _pairs: Callable[[str, Values, Values], list[Branch]]
    within: tuple[int, ...] = ()

    def body_truths(self, function: Function, args: dict[str, Values], scope: Scope) -> list[Branch] | None:
        """The ways in which a function returns true."""
        found: list[Branch] | None = self._read(function, args, scope, self.row_truths, self.truths)
        return found

    def body_values(self, function: Function, args: dict[str, Values], scope: Scope) -> Values | None:
        """What a function returns."""

        def first(query: Any, inner: Scope) -> Values:
            return [(columns[0][1] if columns else Value(), branch) for columns, branch in self.rows(query, inner)]

        found: Values | None = self._read(function, args, scope, first, self.values)
        return found

    def body_rows(self, function: Function, args: dict[str, Values], scope: Scope) -> Any:
        """The rows that a function returns."""

        def one(node: Any, inner: Scope) -> Any:
            return [([(function.name, value)], branch) for value, branch in self.values(node, inner)]

        return self._read(function, args, scope, self.rows, one)

    def _read(self, function: Function, args: dict[str, Values], scope: Scope, query: Any, value: Any) -> Any:
        if function.oid in self.within or len(self.within) >= _DEEP:
            return None
        above = self.stands_above(function.owner) if function.definer else scope.above
        inner = Scope(params=args, above=above, near=function.schema)
        before, self.within = self.within, (*self.within, function.oid)
        try:
            if function.language == "sql":
                return query(last_query(function), inner)
            if function.language == "plpgsql":
                found: list[Any] = []
                for where, kind, node, there in self._walk(body_of(function), inner, ()):
                    read = query if kind == "query" else value
                    found += [_after(where, result) for result in read(node, there)]
                    if len(found) > 200:
                        raise TooWide
                return found
        except (Unreadable, TooWide, LookupError, ValueError, AttributeError):  # a shape that nobody thought of
            return None
        finally:
            self.within = before
        return None

    def stands_above(self, role: int) -> bool:
        """Whether no policy binds a role, or not those of some table."""
        owner = self.catalog.roles.get(role)
        return (
            owner is None
            or owner.superuser
            or owner.bypasses
            or any(
                relation.owner in owner.becomes and not relation.forced for relation in self.catalog.relations.values()
            )
        )

    def _walk(self, body: list[Any], scope: Scope, held: Branch) -> Iterator[tuple[Branch, str, Any, Scope]]:
        """Each way through a body to a RETURN: what holds then, what is returned, and with which variables."""
        scope = scope.kept_apart()
        for place, statement in enumerate(body):
            ((kind, one),) = statement.items()
            rest = body[place + 1 :]
            match kind:
                case "PLpgSQL_stmt_return":
                    if "expr" in one:
                        yield held, "value", expression(_text(one["expr"])), scope
                    return
                case "PLpgSQL_stmt_return_query":
                    yield held, "query", statements(_text(one["query"]))[0], scope
                case "PLpgSQL_stmt_block":
                    for handler in handlers(one):
                        yield from self._walk(handler + rest, scope, held)
                    yield from self._walk(one.get("body", []) + rest, scope, held)
                    return
                case "PLpgSQL_stmt_if":
                    arms = [(one["cond"], one.get("then_body", []))]
                    arms += [
                        (arm["PLpgSQL_if_elsif"]["cond"], arm["PLpgSQL_if_elsif"].get("stmts", []))
                        for arm in one.get("elsif_list", [])
                    ]
                    before = [held]
                    for test, then in arms:
                        node = expression(_text(test))
                        for branch in both(before, self.truths(node, scope)):
                            yield from self._walk(then + rest, scope, branch)
                        before = both(before, self.lies(node, scope) + self.nulls(node, scope))
                    for branch in before:
                        yield from self._walk(one.get("else_body", []) + rest, scope, branch)
                    return
                case "PLpgSQL_stmt_raise":
                    if one.get("elog_level", 21) >= 21:
                        return
                case "PLpgSQL_stmt_assign":
                    text = _text(one["expr"])
                    name, _, right = text.partition(":=") if ":=" in text else text.partition("=")
                    name, node = name.strip().lower(), expression(right)
                    there = scope.kept_apart()
                    scope.params[name], scope.kept[name] = self.values(node, scope), Kept(node, there)
                case "PLpgSQL_stmt_execsql":
                    query = statements(_text(one["sqlstmt"]))[0]
                    if of(query)[0] != "select_stmt" or not one.get("into"):
                        raise Unreadable("it writes")
                    rows = self.rows(query, scope)
                    self._into(one["target"], query, rows, scope)
                    if one.get("strict"):  # it goes on where a row was found
                        for _, branch in rows:
                            yield from self._walk(rest, scope, (*held, *branch))
                        return
                case "PLpgSQL_stmt_perform":
                    rows = self.rows(statements(_text(one["expr"]))[0], scope)
                    self._found(rows, scope)
                case _:
                    raise Unreadable(kind)

    def _into(self, target: Any, query: Any, rows: Any, scope: Scope) -> None:
        ((kind, one),) = target.items()
        before = scope.kept_apart()
        self._found(rows, scope)
        if kind == "PLpgSQL_row":
            for place, field in enumerate(one["fields"]):
                scope.kept[field["name"]] = Kept(query, before, place)
                scope.params[field["name"]] = [
                    (columns[place][1] if place < len(columns) else Value(), branch) for columns, branch in rows
                ]
        else:  # a record, or a row of a table: each column by its name
            for columns, branch in rows:
                whole = frozenset(source._replace(name="*") for _, value in columns for source in value.sources)
                scope.params.setdefault(one["refname"], []).append((Value(whole), branch))

    @staticmethod
    def _found(rows: Any, scope: Scope) -> None:
        sources = frozenset(source for columns, branch in rows for _, value in columns for source in value.sources)
        scope.params["found"] = [(Value(sources), branch) for _, branch in rows][:20]


def _after(where: Branch, result: Any) -> Any:
    """A branch, a value or a row with what holds before it."""
    if len(result) == 2 and isinstance(result[1], tuple) and not isinstance(result[0], Link | Limit | Other):
        return result[0], where + result[1]
    return (*where, *result)


def _text(part: Any) -> str:
    return str(part["PLpgSQL_expr"]["query"])


def last_query(function: Function) -> Any:
    """The query that an SQL function answers with. Raises Unreadable."""
    queries = parsed(function)
    if not queries or of(queries[-1])[0] != "select_stmt":
        raise Unreadable("it ends in no query")
    return queries[-1]


def parsed(function: Function) -> list[Any]:
    """The statements of an SQL function. Raises Unreadable."""
    text = function.body.strip()
    if function.standard:
        if text.upper().startswith("RETURN"):
            text = f"select {text[6:]}"
        else:
            text = text[text.upper().index("ATOMIC") + 6 :].strip().removesuffix("END")
    return statements(text)


def body_of(function: Function) -> list[Any]:
    """The statements of a PL/pgSQL function. Raises Unreadable."""
    tag = "$userscope_body$"
    named = ", ".join(
        f'"{name}" {kind}' if name else kind for name, kind in zip(function.inputs, function.types, strict=False)
    )
    if not function.many and set(function.modes) & {"o", "b"}:
        raise Unreadable("it returns what it assigns")
    body = _VARIABLE.sub(r"return (\1);", function.body)  # the parser does not tell a returned variable's name
    returns = f"returns {'setof ' if function.many else ''}{function.returns}"
    if function.returns == "record":
        returns = "returns setof record" if function.many else "returns record"
    found = plpgsql(f"create function f({named}) {returns} language plpgsql as {tag}{body}{tag}")
    declared: dict[str, Any] = found[0]["PLpgSQL_function"]
    start = [
        {
            "PLpgSQL_stmt_assign": {
                "expr": {"PLpgSQL_expr": {"query": f"{one['refname']} := {_text(one['default_val'])}"}}
            }
        }
        for datum in declared["datums"]
        for one in [datum.get("PLpgSQL_var", {})]
        if "default_val" in one
    ]
    return [*start, declared["action"]]


def handlers(block: Any) -> list[list[Any]]:
    """What a block does instead, where something fails in it."""
    return [
        each["PLpgSQL_exception"].get("action", [])
        for each in block.get("exceptions", {}).get("PLpgSQL_exception_block", {}).get("exc_list", [])
    ]
