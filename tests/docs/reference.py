"""The pages that are generated from the package: what it offers, its commands and its errors."""

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from typer import Context
from typer.main import get_command

import userscope
from tests.docs.cures import CURES
from userscope import errors
from userscope.cli.app import app
from userscope.errors import DatabaseError, UserscopeError
from userscope.errors.sqlalchemy import SAME
from userscope.fastapi import problems

MODULES = ("userscope", "userscope.fastapi", "userscope.auth", "userscope.testing")
"""What is public, in the order of the page; errors have a page of their own."""

SOURCE = Path(userscope.__file__).parent


def api() -> str:
    """Every public name: its signature, what it means, what it raises, and so with each of its methods."""
    parts = []
    for name in MODULES:
        module = importlib.import_module(name)
        parts.append(f"## {name}\n\n{_told(module.__doc__)}\n")
        parts += [_name(module, each) for each in module.__all__]
    return "\n".join(parts)


def _name(module: ModuleType, name: str) -> str:
    node = _definition(module, name)
    heading = f"### {name}\n"
    if isinstance(node, ast.ClassDef):
        node.body += _inherited(getattr(module, name), node)
        members = [_method(each) for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
        return "\n".join([heading, _class(node), *(each for each in members if each)])
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return f"{heading}\n{_code(_signature(node))}\n{_told(ast.get_docstring(node))}\n"
    assignment, words = node
    return f"{heading}\n{_code(ast.unparse(assignment))}\n{_told(words)}\n"


def _inherited(kind: type, node: ast.ClassDef) -> list[ast.stmt]:
    """What a class has of bases that are not public, and so stand nowhere else on the page: their methods."""
    public = {each for module in MODULES for each in importlib.import_module(module).__all__}
    known = {each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
    found: list[ast.stmt] = []
    for base in kind.__mro__[1:]:
        if base.__module__.startswith("userscope") and base.__name__ not in public:
            for each in _definition(importlib.import_module(base.__module__), base.__name__).body:
                if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name not in known:
                    known.add(each.name)
                    found.append(each)
    return found


def _definition(module: ModuleType, name: str) -> Any:
    """Where a name is defined: its class, its function, or its assignment with the words below it."""
    home = getattr(getattr(module, name), "__module__", None) or ""
    package = module.__name__.removeprefix("userscope").lstrip(".")
    files = [SOURCE / f"{home.removeprefix('userscope.').replace('.', '/')}{end}" for end in (".py", "/__init__.py")]
    files += sorted((SOURCE / package).rglob("*.py"))
    for file in (file for file in files if file.is_file()):
        body = ast.parse(file.read_text(encoding="utf-8")).body
        for position, node in enumerate(body):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
                return node
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                return node, _below(body, position)
    raise AssertionError(f"{module.__name__}.{name} is defined nowhere")


def _below(body: list[ast.stmt], position: int) -> str | None:
    after = body[position + 1] if position + 1 < len(body) else None
    if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
        return inspect.cleandoc(after.value.value)
    return None


def _class(node: ast.ClassDef) -> str:
    bases = ", ".join(ast.unparse(base) for base in node.bases)
    fields = [
        f"    {ast.unparse(each)}"
        for each in node.body
        if isinstance(each, ast.AnnAssign) and not ast.unparse(each.target).startswith(("_", "model_"))
    ]
    made = next((each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"), None)
    if made:
        fields.insert(0, textwrap.indent(_signature(made), "    "))
    shown = "\n".join([f"class {node.name}{f'({bases})' if bases else ''}:", *fields])
    return f"{_code(shown if fields else shown.removesuffix(':'))}\n{_told(ast.get_docstring(node))}\n"


def _method(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    if node.name.startswith("_"):
        return ""
    kinds = {ast.unparse(each) for each in node.decorator_list}
    if any("validator" in kind or kind == "override" for kind in kinds):
        return ""
    marked = "".join(f"@{kind}\n" for kind in sorted(kinds & {"property", "classmethod", "contextmanager"}))
    return f"{_code(marked + _signature(node))}\n{_told(ast.get_docstring(node))}\n"


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    one = f"{word} {node.name}({ast.unparse(node.args)})"
    end = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    if len(one + end) <= 100:
        return one + end
    given = re.sub(r", (?=(?:\*|\w+: |\*\*|/))", ",\n    ", ast.unparse(node.args))
    return f"{word} {node.name}(\n    {given},\n){end}"


def _code(text: str) -> str:
    return f"```py\n{text}\n```\n"  # "py", since it is no program that could be run


def _told(words: str | None) -> str:
    assert words, "a public name has its words"
    paragraphs = re.sub(r"``(.+?)``", r"`\1`", words).split("\n\n")
    return "\n\n".join(f"```pycon\n{text}\n```" if text.startswith(">>>") else text for text in paragraphs)


def commands() -> str:
    """Every command: what it does, its arguments and options, an example."""
    return "\n".join(_command(get_command(app)))


def _command(command: Any, *words: str) -> Iterator[str]:
    for name, each in getattr(command, "commands", {}).items():
        if hasattr(each, "commands"):
            yield from _command(each, *words, name)
            continue
        path = " ".join(["userscope", *words, name])
        text, _, example = inspect.cleandoc(each.help).partition("Example: ")
        yield f"## {path}\n\n{text.strip()}\n\n```sh\n{example.strip()}\n```\n"
        context = Context(each, info_name=path)
        rows = [row for row in (_parameter(parameter, context) for parameter in each.params) if row]
        if rows:
            yield "\n".join(["| what | means |", "|---|---|", *rows, ""])


def _parameter(parameter: Any, context: Any) -> str:
    record = None if parameter.name == "help" else parameter.get_help_record(context)
    if record is None:
        return ""
    what, means = (part.replace("|", "\\|") for part in record)
    return f"| `{what}` | {means} |"


def classes() -> list[type[UserscopeError]]:
    """Every class of error, each after the one that it is a kind of."""
    order: list[type[UserscopeError]] = []
    every = [getattr(errors, name) for name in errors.__all__]

    def add(kind: type[UserscopeError]) -> None:
        order.append(kind)
        for each in every:
            if kind in each.__bases__:
                add(each)

    add(UserscopeError)
    return order


def table() -> str:
    """Each class: when, what to do, by which SQLSTATEs, what SQLAlchemy and HTTP call it."""
    lines = []
    for kind in classes():
        parent = next(each for each in kind.__mro__[1:] if each in {*classes(), Exception})
        facts = [] if parent is Exception else [f"a kind of [{parent.__name__}](#{parent.__name__.lower()})"]
        if issubclass(kind, DatabaseError):
            codes = kind.__dict__.get("sqlstates", ())
            facts += [f"SQLSTATE {', '.join(codes)}"] if codes else []
            theirs = next(SAME[each] for each in kind.__mro__ if each in SAME)
            facts.append(f"SQLAlchemy: `{theirs.__name__}`")
        facts.append(f"HTTP: {_status(kind)}")
        lines.append(f"## {kind.__name__}\n\n{_told(inspect.getdoc(kind))}\n\n**What to do.** {CURES[kind.__name__]}\n")
        lines.append(f"{' · '.join(facts)}\n")
    return "\n".join(lines)


def _status(kind: type[UserscopeError]) -> int:
    error = kind.__new__(kind)
    vars(error).update(message="m", detail=None, hint=None, constraint=None, sqlstate=None)
    return problems._answer(error).status_code
