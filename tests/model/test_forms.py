"""Every form of command × every actor × rows in every state, against a model that knows only whose a row is."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from tests.clusters import Connection
from tests.model.forms import DENIED, READS, WRITES, Case, Rows, insert, insert_unless, upsert
from userscope.postgres.url import ConnectionURL

SETTINGS: dict[str, tuple[str, str] | None] = {
    "owner": ("alice", ""),
    "other user": ("bob", ""),
    "user without rows": ("carol", ""),
    "no identity": None,
    "empty identity": ("", ""),
    "unknown user": ("00000000-0000-4000-8000-000000000000", ""),
    "malformed identity": ("not-a-uuid", ""),
    "wrong seal": ("alice", f"nokey.9999999999.{'0' * 64}"),
    "identity provider": ("alice", ""),
}

_ALIKE = {"user without rows", "empty identity", "unknown user"}
"""Who is nobody, or has nothing, once more."""
ACTORS = [pytest.param(name, marks=[pytest.mark.breadth] if name in _ALIKE else []) for name in SETTINGS]

ALWAYS = {"lock": None, "copy from": "0A000"}
"""What does not ask who acts; PostgreSQL has no COPY FROM under row-level security."""

REFUSED = {"malformed identity": "22P02", "wrong seal": "28000"}


@pytest.fixture(scope="module")
def superuser(migrated_urls: dict[str, ConnectionURL]) -> Iterator[Connection]:
    """The superuser's connection, which takes on each role in turn, in transactions that are rolled back."""
    with psycopg.connect(migrated_urls["admin"].conninfo(), autocommit=True, prepare_threshold=None) as connection:
        yield connection


@pytest.fixture(scope="module")
def world(superuser: Connection) -> Iterator[tuple[Connection, dict[str, UUID]]]:
    """Three users, two of them with rows in every state; ``act`` leaves them as they were."""
    users = {name: uuid4() for name in ("alice", "bob", "carol")}
    with superuser.transaction(force_rollback=True):
        superuser.execute(
            "insert into app.users (id, name, email) select id, name, concat(name, '.', id, '@example.com') "
            "from unnest(%s::uuid[], %s::text[]) as made (id, name)",
            [list(users.values()), list(users)],
        )
        superuser.execute(
            "insert into app.todos (owner_id, title, description, completed, due_at) "
            "select owner, concat_ws(' ', owner, completed, description, due_at), description, completed, due_at "
            "from unnest(%s::uuid[]) as owner, (values (false), (true)) as a (completed), "
            "(values (null), ('why')) as b (description), (values (null), (now())) as c (due_at)",
            [[users["alice"], users["bob"]]],
        )
        yield superuser, users


SNAPSHOT = "select owner_id, id, title, completed from app.todos"


def run(connection: Connection, text: str, case: Case, users: dict[str, UUID]) -> set[str]:
    """Run each statement of a form, and return the first column of what the last one says."""
    values = {"id": case.target[1], "owner": case.target[0], "new": case.new, "other": users["bob"]}
    for name, value in values.items():
        text = text.replace("{" + name + "}", sql.Literal(value).as_string())
    cursor = connection.cursor()
    if text.startswith("copy") and text.endswith("to stdout"):
        with cursor.copy(text.encode()) as copy:
            return {str(row[0]) for row in copy.rows()}
    if text.startswith("copy"):
        with cursor.copy(text.encode()):
            pass
        return set()
    parts = [text] if "do $$" in text and not text.startswith("declare") else text.split("; ")
    for part in parts:
        cursor.execute(part.encode())
    return {str(row[0]) for row in cursor} if cursor.description else set()


def act(
    world: tuple[Connection, dict[str, UUID]], actor: str, text: str, case: Case
) -> tuple[set[str], str | None, Rows]:
    """Do it as the actor in a savepoint; return what they see, the SQLSTATE if refused, and all rows thereafter."""
    connection, users = world
    seen: set[str] = set()
    state = None
    # What belongs together is one message: there are thousands of cases.
    begin = ["savepoint before", "savepoint acting", "set local role app_user"]
    if (setting := SETTINGS[actor]) is not None:
        who, seal = setting
        begin.append(f"select app.set_user_id('{users.get(who, who)}', '{seal}')")
    if actor == "identity provider":
        begin.append("set local role app_auth")
    try:
        connection.execute("; ".join(begin).encode())
        seen = run(connection, text, case, users)
    except psycopg.Error as error:
        state = error.sqlstate
        connection.execute("rollback to savepoint acting")
    cursor = connection.execute(
        f"release savepoint acting; reset role; deallocate all; {SNAPSHOT}; rollback to savepoint before".encode()
    )
    while cursor.description is None:
        assert cursor.nextset()
    return seen, state, frozenset(cursor.fetchall())


def cases(world: tuple[Connection, dict[str, UUID]], actor: str) -> Iterator[tuple[Rows, Case]]:
    """The rows before, and one case for each of Alice's rows: there is one in every state."""
    connection, users = world
    before = frozenset(connection.execute(SNAPSHOT).fetchall())
    setting = SETTINGS[actor]
    me = users.get(setting[0]) if setting else None
    if actor in REFUSED or actor == "identity provider":
        me = None
    targets = sorted(row for row in before if row[0] == users["alice"])
    assert len(targets) == 8
    for target in targets:
        yield before, Case(me, target, uuid4())


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("form", READS)
def test_read(world: tuple[Connection, dict[str, UUID]], form: str, actor: str) -> None:
    """Everybody sees their own rows, whatever the form; who is nobody sees none, or is refused."""
    before, case = next(cases(world, actor))
    seen, state, after = act(world, actor, READS[form], case)
    assert after == before
    assert seen == {row[2] for row in case.own(before)}
    assert state == ("42501" if actor == "identity provider" else REFUSED.get(actor))


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("form", WRITES)
def test_write(world: tuple[Connection, dict[str, UUID]], form: str, actor: str) -> None:
    """What is written is the actor's own, whatever the form and the state of the row that is aimed at."""
    text, effect = WRITES[form]
    for before, case in cases(world, actor):
        _, state, after = act(world, actor, text, case)
        assert after == effect(before, case), (case, state)
        inserting = effect in (insert, insert_unless, upsert)
        if actor == "identity provider":
            assert state == "42501"
        elif form in ALWAYS:
            assert state == ALWAYS[form]
        elif actor in REFUSED:
            assert state == REFUSED[actor]
        elif form == "update cursor":
            assert state == (None if case.aimed(before) else "24000")  # the cursor stands on no row
        elif actor == "unknown user":
            assert state == ("23503" if inserting else None)
        elif case.me is None:
            assert state == ("42501" if inserting else None)
        else:
            assert state is None


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("form", DENIED)
def test_denied(world: tuple[Connection, dict[str, UUID]], form: str, actor: str) -> None:
    """What nobody may do is refused to everybody, and changes nothing."""
    for before, case in cases(world, actor):
        seen, state, after = act(world, actor, DENIED[form], case)
        assert (seen, after) == (set(), before)
        assert state in {"42501", REFUSED.get(actor, "42501")}
