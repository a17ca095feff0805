"""What a service of todos asks of the database: each operation as a user, and as its owner with a WHERE by hand."""

import re
from dataclasses import dataclass
from typing import Literal

_TODO = "owner_id, id, title, description, completed, due_at, created_at, updated_at"
_AT = "now() - interval '30 hours'"

Identity = Literal["unsealed", "sealed"]
"""Without a seal, or with the variable ``:seal`` for one."""


@dataclass(frozen=True)
class Operation:
    """One statement. ``:owner`` and ``:id`` are variables; ``as_user`` does without the owner, a policy supplies it."""

    name: str
    as_user: str
    as_owner: str
    writes: bool = False


def _where(name: str, template: str, *, writes: bool = False) -> Operation:
    mine = "owner_id = :owner and "
    return Operation(name, template.replace("{mine}", ""), template.replace("{mine}", mine), writes)


OPERATIONS = (
    _where(
        "list",  # the page after one that ended at _AT, by keyset; the first condition is what the index can use
        f"select {_TODO} from app.todos where {{mine}}created_at <= {_AT} and (created_at < {_AT} or id > :id)"
        " order by created_at desc, id limit 20",
    ),
    _where("get", f"select {_TODO} from app.todos where {{mine}}id = :id"),
    _where("count", "select count(*) from app.todos where {mine}true"),
    _where(
        "due soon",
        f"select {_TODO} from app.todos where {{mine}}not completed and due_at < now() + interval '7 days'"
        " order by due_at limit 20",
    ),
    Operation(
        "insert",
        "insert into app.todos (title) values ('Buy milk') returning id, created_at",
        "insert into app.todos (owner_id, title) values (:owner, 'Buy milk') returning id, created_at",
        writes=True,
    ),
    _where(
        "update",
        "update app.todos set completed = not completed where {mine}id = :id returning updated_at",
        writes=True,
    ),
    _where("delete", "delete from app.todos where {mine}id = :id", writes=True),
)
READING = tuple(operation for operation in OPERATIONS if not operation.writes)


def opening(identity: Identity = "unsealed", *, wiped: bool = False) -> list[str]:
    """What our sessions send before a transaction's first statement; without the clean slate unless ``wiped``."""
    seal = ":seal" if identity == "sealed" else "''"
    setting = "pg_catalog.set_config('statement_timeout', '30s', true)"
    return [*(["discard all"] if wiped else []), "begin", f"select app.set_user_id(:owner, {seal}), {setting}"]


def ending(operation: Operation) -> str:
    """How its transaction ends: what it wrote is taken back, so that the table stays as it is."""
    return "rollback" if operation.writes else "commit"


def pipelined(*statements: str) -> str:
    """Return a script of pgbench that sends all at once."""
    return "\n".join(("\\startpipeline", *(f"{statement};" for statement in statements), "\\endpipeline", ""))


def one_by_one(*statements: str) -> str:
    """Return a script of pgbench that waits for each answer, as a driver without a pipeline does."""
    return "".join(f"{statement};\n" for statement in statements)


def anybody(script: str, owners: int, each: int) -> str:
    """Return ``script`` for a random todo of a random owner every time (of those that ``world.fill`` made)."""
    choice = f"\\set number random(1, {owners})\n\\set which random(0, {each - 1})\n"
    values = {
        ":owner, ''": "md5('user ' || :number), ''",  # as the text that set_user_id takes
        ":owner": "md5('user ' || :number)::uuid",
        ":id": "md5('todo ' || :which || ' of ' || :number)::uuid",
    }
    pattern = "|".join(map(re.escape, values))
    return choice + re.sub(pattern, lambda found: values[found[0]], script)
