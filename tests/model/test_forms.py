"""Every form of command × every actor × rows in every state, against a model that knows only whose a row is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from tests.clusters import Connection
from userscope.urls import ConnectionURL

type Row = tuple[UUID, UUID, str, bool]  # owner, id, title, completed
type Rows = frozenset[Row]
type Effect = Callable[[Rows, "Case"], Rows]

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


@dataclass(frozen=True)
class Case:
    """Who acts (None: nobody), the row that is aimed at, and the id of a row to be made."""

    me: UUID | None
    target: Row
    new: UUID

    def own(self, rows: Rows) -> Rows:
        """The rows that are mine."""
        return frozenset(row for row in rows if row[0] == self.me)

    def aimed(self, rows: Rows) -> Rows:
        """My row with the target's id, if I have one."""
        return frozenset(row for row in self.own(rows) if row[1] == self.target[1])


def nothing(rows: Rows, _: Case) -> Rows:
    return rows


def retitle(rows: Rows, chosen: Rows) -> Rows:
    return (rows - chosen) | {(owner, id_, "new", done) for owner, id_, _, done in chosen}


def made(rows: Rows, case: Case, id_: UUID) -> Rows:
    return rows if case.me is None else rows | {(case.me, id_, "new", False)}


def update_all(rows: Rows, case: Case) -> Rows:
    return retitle(rows, case.own(rows))


def update_one(rows: Rows, case: Case) -> Rows:
    return retitle(rows, case.aimed(rows))


def delete_all(rows: Rows, case: Case) -> Rows:
    return rows - case.own(rows)


def delete_one(rows: Rows, case: Case) -> Rows:
    return rows - case.aimed(rows)


def insert(rows: Rows, case: Case) -> Rows:
    return made(rows, case, case.new)


def insert_unless(rows: Rows, case: Case) -> Rows:
    return rows if case.aimed(rows) else made(rows, case, case.target[1])


def upsert(rows: Rows, case: Case) -> Rows:
    return update_one(rows, case) if case.aimed(rows) else made(rows, case, case.target[1])


READS = {
    "select": "select title from app.todos",
    "one": "select title from app.todos where id = {id} or true",
    "whole row": "select (t).title from app.todos as t",
    "for update": "select title from app.todos for update",
    "for no key update": "select title from app.todos for no key update",
    "for share": "select title from app.todos for share",
    "for key share": "select title from app.todos for key share skip locked",
    "sub-query": "select title from (select * from app.todos offset 0) as t",
    "in": "select title from app.todos where id in (select id from app.todos)",
    "cte": "with t as materialized (select * from app.todos) select title from t",
    "recursive": "with recursive t as (select title from app.todos union select title from t) select title from t",
    "join": "select a.title from app.todos as a join app.todos as b using (id)",
    "cross join": "select a.title from app.todos as a left join app.users as u on true",
    "lateral": "select t.title from (values (1)) as v, lateral (select title from app.todos) as t",
    "union": "select title from app.todos union all select title from app.todos",
    "group": "select title from app.todos group by title having count(*) > 0",
    "window": "select first_value(title) over (partition by id) from app.todos",
    "aggregate": "select unnest(array_agg(title)) from app.todos",
    "sample": "select title from app.todos tablesample system (100)",
    "another's": "select title from app.todos where owner_id = {owner} or owner_id <> {owner}",
    "copy query": "copy (select title from app.todos) to stdout",
    "cursor": "declare c scroll cursor for select title from app.todos; fetch all from c",
    "prepared": "prepare p as select title from app.todos; execute p",
    "row security off": "set local row_security = on; select title from app.todos",
}

WRITES: dict[str, tuple[str, Effect]] = {
    "update": ("update app.todos set title = 'new'", update_all),
    "update one": ("update app.todos set title = 'new' where id = {id}", update_one),
    "update another's": (
        "update app.todos set title = 'new' where owner_id = {owner} and id = {id} or id = {id}",
        update_one,
    ),
    "update only": ("update only app.todos set title = 'new'", update_all),
    "update returning": ("update app.todos set title = 'new' returning id", update_all),
    "update from": ("update app.todos as t set title = 'new' from app.todos as o where o.id = t.id", update_all),
    "update sub-query": (
        "update app.todos set title = (select 'new') where id in (select id from app.todos)",
        update_all,
    ),
    "update cte": ("with u as (update app.todos set title = 'new' returning id) select count(*) from u", update_all),
    "update prepared": ("prepare p as update app.todos set title = 'new'; execute p", update_all),
    "update cursor": (
        "declare c cursor for select id from app.todos where id = {id} for update; fetch c; "
        "update app.todos set title = 'new' where current of c",
        update_one,
    ),
    "update dynamic": ("do $$ begin execute 'update app.todos set title = ''new'''; end $$", update_all),
    "delete": ("delete from app.todos", delete_all),
    "delete one": ("delete from app.todos where id = {id}", delete_one),
    "delete returning": ("delete from app.todos where id = {id} returning title", delete_one),
    "delete using": ("delete from app.todos as t using app.todos as o where o.id = t.id", delete_all),
    "delete cte": ("with d as (delete from app.todos returning id) select count(*) from d", delete_all),
    "insert": ("insert into app.todos (id, title) values ({new}, 'new')", insert),
    "insert returning": ("insert into app.todos (id, title) values ({new}, 'new') returning owner_id", insert),
    "insert select": ("insert into app.todos (id, title) select {new}, 'new'", insert),
    "insert cte": ("with i as (insert into app.todos (id, title) values ({new}, 'new') returning id) table i", insert),
    "copy from": ("copy app.todos (id, title) from stdin", nothing),
    "insert or nothing": (
        "insert into app.todos (id, title) values ({id}, 'new') on conflict (owner_id, id) do nothing",
        insert_unless,
    ),
    "insert or update": (
        "insert into app.todos (id, title) values ({id}, 'new') on conflict (owner_id, id) do update set title = 'new'",
        upsert,
    ),
    "merge update": (
        "merge into app.todos as t using (values ({id}::uuid)) as v (id) on t.id = v.id "
        "when matched then update set title = 'new'",
        update_one,
    ),
    "merge delete": (
        "merge into app.todos as t using (values ({id}::uuid)) as v (id) on t.id = v.id when matched then delete",
        delete_one,
    ),
    "merge": (
        "merge into app.todos as t using (values ({id}::uuid)) as v (id) on t.id = v.id "
        "when matched then update set title = 'new' when not matched then insert (id, title) values (v.id, 'new')",
        upsert,
    ),
    "lock": ("lock table app.todos in row exclusive mode", nothing),
}

DENIED = {
    "give away": "update app.todos set owner_id = {other}",
    "give one away": "update app.todos set owner_id = {other} where id = {id}",
    "take": "insert into app.todos (owner_id, id, title) values ({other}, {new}, 'new')",
    "take or update": "insert into app.todos (owner_id, id, title) values ({owner}, {id}, 'new') "
    "on conflict (owner_id, id) do update set title = 'new'",
    "merge take": "merge into app.todos as t using (values (1)) as v on t.id = {id} "
    "when not matched then insert (owner_id, id, title) values ({other}, {new}, 'new')",
    "time": "update app.todos set created_at = now()",
    "identity column": "update app.todos set id = {new}",
    "truncate": "truncate app.todos",
    "ctid": "select ctid from app.todos",
    "tableoid": "select tableoid from app.todos",
    "copy out": "copy app.todos from stdin",
    "trigger": "create trigger t after insert on app.todos execute function app.touch()",
    "policy": "create policy p on app.todos using (true)",
    "disable": "alter table app.todos disable row level security",
    "row security": "set local row_security = off; select title from app.todos",
}

ALWAYS = {"lock": None, "copy from": "0A000"}
"""What does not ask who acts; PostgreSQL has no COPY FROM under row-level security."""

REFUSED = {"malformed identity": "22P02", "wrong seal": "28000"}


@pytest.fixture(scope="module")
def superuser(migrated_urls: dict[str, ConnectionURL]) -> Iterator[Connection]:
    """The superuser's connection, which takes on each role in turn, in transactions that are rolled back."""
    with psycopg.connect(migrated_urls["admin"].conninfo(), autocommit=True, prepare_threshold=None) as connection:
        yield connection


@pytest.fixture
def world(superuser: Connection) -> Iterator[tuple[Connection, dict[str, UUID]]]:
    """Three users, two of them with rows in every state, until the end of the test."""
    users = {name: uuid4() for name in ("alice", "bob", "carol")}
    with superuser.transaction(force_rollback=True):
        for name, user in users.items():
            superuser.execute("insert into app.users (id, name, email) values (%s, %s, %s)",
                              [user, name, f"{name}.{user}@example.com"])  # fmt: skip
        superuser.execute(
            "insert into app.todos (owner_id, title, description, completed, due_at) "
            "select owner, concat_ws(' ', owner, completed, description, due_at), description, completed, due_at "
            "from unnest(%s::uuid[]) as owner, (values (false), (true)) as a (completed), "
            "(values (null), ('why')) as b (description), (values (null), (now())) as c (due_at)",
            [[users["alice"], users["bob"]]],
        )
        yield superuser, users


def snapshot(connection: Connection) -> Rows:
    return frozenset(connection.execute("select owner_id, id, title, completed from app.todos").fetchall())


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
    outcome = None
    with connection.transaction(force_rollback=True):
        try:
            with connection.transaction():
                setting = SETTINGS[actor]
                connection.execute("set local role app_user")
                if setting is not None:
                    who, seal = setting
                    connection.execute("select app.set_user_id(%s, %s)", [str(users.get(who, who)), seal])
                if actor == "identity provider":
                    connection.execute("set local role app_auth")
                seen = run(connection, text, case, users)
        except psycopg.Error as error:
            state = error.sqlstate
        connection.execute("reset role")
        connection.execute("deallocate all")
        outcome = snapshot(connection)
    return seen, state, outcome


def cases(world: tuple[Connection, dict[str, UUID]], actor: str) -> Iterator[tuple[Rows, Case]]:
    """The rows before, and one case for each of Alice's rows: there is one in every state."""
    connection, users = world
    before = snapshot(connection)
    setting = SETTINGS[actor]
    me = users.get(setting[0]) if setting else None
    if actor in REFUSED or actor == "identity provider":
        me = None
    targets = sorted(row for row in before if row[0] == users["alice"])
    assert len(targets) == 8
    for target in targets:
        yield before, Case(me, target, uuid4())


@pytest.mark.parametrize("actor", SETTINGS)
@pytest.mark.parametrize("form", READS)
def test_read(world: tuple[Connection, dict[str, UUID]], form: str, actor: str) -> None:
    """Everybody sees their own rows, whatever the form; who is nobody sees none, or is refused."""
    before, case = next(cases(world, actor))
    seen, state, after = act(world, actor, READS[form], case)
    assert after == before
    assert seen == {row[2] for row in case.own(before)}
    assert state == ("42501" if actor == "identity provider" else REFUSED.get(actor))


@pytest.mark.parametrize("actor", SETTINGS)
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


@pytest.mark.parametrize("actor", SETTINGS)
@pytest.mark.parametrize("form", DENIED)
def test_denied(world: tuple[Connection, dict[str, UUID]], form: str, actor: str) -> None:
    """What nobody may do is refused to everybody, and changes nothing."""
    for before, case in cases(world, actor):
        seen, state, after = act(world, actor, DENIED[form], case)
        assert (seen, after) == (set(), before)
        assert state in {"42501", REFUSED.get(actor, "42501")}
