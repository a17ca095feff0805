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
OPEN, SEALED = "app", "sealed"
"""Two databases of one server: the second accepts no identity without a seal."""
TIMES = 20
"""How many reads make one figure."""


def kinds(stack: ExitStack, *, quick: bool) -> dict[str, Callable[[], float]]:
    """What can be measured, by its name; each returns seconds for one."""
    made = stack.enter_context(world.world())
    made.database(SEALED)
    for database in (OPEN, SEALED):
        world.fill(made.url("admin", database), TODOS // 10 if quick else TODOS, users=USERS)
    key, _ = statements.seals.add(made.url("admin", SEALED))
    statements.seals.require(made.url("admin", SEALED))
    values = {"owner": PERSON, "id": statements.named("todo 3 of 7")}
    values["seal"] = key.seal(PERSON, life=3600)
    found: dict[str, Callable[[], float]] = {}
    for name, where, given in (("", OPEN, {}), (" sealed", SEALED, {"userscope_seal_key": key.text()})):
        settings: Any = {"_env_file": None, "database_url": made.url("service", where).text(), **given}
        opened = stack.enter_context(Database(Settings(**settings)))
        found[f"reader{name}"] = _reads(opened.reader)
        found[f"session{name}"] = _reads(opened.session)
    for operation in OPERATIONS:
        end = ending(operation)
        scripts = {
            "where": ("admin", OPEN, pipelined("begin", operation.as_owner, end)),
            "ours": ("service", OPEN, pipelined(*opening(wiped=True), operation.as_user, end)),
            "sealed": ("service", SEALED, pipelined(*opening("sealed", wiped=True), operation.as_user, end)),
        }
        for way, (login, where, script) in scripts.items():
            times = 100 if quick else 1_000
            found[f"{operation.name}, {way}"] = _server(made.url(login, where), script, values, times)
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


def _server(url: Any, script: str, values: dict[str, str], times: int) -> Callable[[], float]:
    return lambda: statements.latency(url, script, values=values, times=times)


def main() -> None:
    """Say what can be measured, then measure whatever is asked for, a line for a line."""
    with ExitStack() as stack:
        found = kinds(stack, quick="--quick" in sys.argv)
        print(json.dumps(list(found)), flush=True)
        for line in sys.stdin:
            print(found[line.strip()](), flush=True)


if __name__ == "__main__":
    main()
