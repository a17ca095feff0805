"""Every form of command on todos, and what it does to the rows by a model that knows only whose each row is.

In the SQL, ``{id}`` and ``{owner}`` are those of the row that is aimed at, ``{new}`` is an id that nobody has, and
``{other}`` somebody else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

type Row = tuple[UUID, UUID, str, bool]  # owner, id, title, completed
type Rows = frozenset[Row]
type Effect = Callable[[Rows, "Case"], Rows]


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
    "cross join": "select a.title from app.todos as a left join app.account as u on true",
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
