"""One side of ``python -m bench compare``: measures what it is told to, by the code that it finds.

bench/compare.py puts a commit's ``src`` and ``bench`` in front of the path: what is imported is what commits share.
"""

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from time import perf_counter
from typing import Any
from uuid import UUID

from sqlmodel import select

from bench import statements, world
from bench.operations import OPERATIONS, ending, opening, pipelined
from userscope import Database
from userscope.models import Todo
from userscope.settings import Settings

TODOS, USERS = 100_000, 1_000
PERSON = statements.named("user 7")
TIMES = 20
"""How many reads make one figure."""


def kinds(stack: ExitStack, *, quick: bool) -> dict[str, Callable[[], float]]:
    """What can be measured, by its name; each returns seconds for one."""
    made = stack.enter_context(world.world())
    admin = made.url("admin")
    world.fill(admin, TODOS // 10 if quick else TODOS, users=USERS)
    key, _ = statements.seals.add(admin)
    values = {"owner": PERSON, "id": statements.named("todo 3 of 7")}
    values["seal"] = key.seal(PERSON, life=3600)
    found: dict[str, Callable[[], float]] = {}
    for name, given in {"": {}, " sealed": {"userscope_seal_key": key.text(), "userscope_seal_optional": True}}.items():
        settings: Any = {"_env_file": None, "database_url": made.url("service").text(), **given}
        database = stack.enter_context(Database(Settings(**settings)))
        found[f"reader{name}"] = _reads(database.reader)
        found[f"session{name}"] = _reads(database.session)
    for operation in OPERATIONS:
        end = ending(operation)
        scripts = {
            "where": ("admin", pipelined("begin", operation.as_owner, end)),
            "ours": ("service", pipelined(*opening(wiped=True), operation.as_user, end)),
            "sealed": ("service", pipelined(*opening("sealed", wiped=True), operation.as_user, end)),
        }
        for way, (login, script) in scripts.items():
            found[f"{operation.name}, {way}"] = _server(made.url(login), script, values)
    return found


def _reads(opened: Callable[[UUID], Any]) -> Callable[[], float]:
    query = select(Todo).order_by(Todo.created_at.desc()).limit(20)  # type: ignore[attr-defined]  # a column

    def work() -> float:
        began = perf_counter()
        for _ in range(TIMES):
            with opened(UUID(PERSON)) as session:
                if len(session.exec(query).all()) != TIMES:
                    raise RuntimeError("it reads something else")
        return (perf_counter() - began) / TIMES

    return work


def _server(url: Any, script: str, values: dict[str, str]) -> Callable[[], float]:
    return lambda: statements.latency(url, script, values=values, times=100)


def main() -> None:
    """Say what can be measured, then measure whatever is asked for, a line for a line."""
    with ExitStack() as stack:
        found = kinds(stack, quick="--quick" in sys.argv)
        print(json.dumps(list(found)), flush=True)
        for line in sys.stdin:
            print(found[line.strip()](), flush=True)


if __name__ == "__main__":
    main()
