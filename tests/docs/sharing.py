"""What a user is told of lists that are not shared with them, in two worlds that differ in nothing else."""

from collections.abc import Iterator
from uuid import UUID

import psycopg

from tests.clusters import Connection

ALICE, BOB, DAVE, EVE = (UUID(int=number << 64 | 7) for number in (10, 11, 13, 14))
TOLD_BEFORE = """
grant select (owner_id, list_id, member_id) on app.list_members to app_user;
create policy select_own on app.list_members for select to app_user
    using (owner_id = (select app.current_user_id()) or member_id = (select app.current_user_id()));
drop policy select_own on app.lists;
create policy select_shared on app.lists for select to app_user using (
    owner_id = (select app.current_user_id()) or exists (
        select from app.list_members as m
         where m.owner_id = lists.owner_id and m.list_id = lists.id and m.member_id = (select app.current_user_id())))
"""
"""What this page once showed: policies with OR and EXISTS."""


def told(admin: Connection, number: int, *, before: bool = False) -> list[str]:
    """What Alice is told in a world. Of Bob's lists the first is shared with her; the others differ."""
    answers: list[str] = []
    with admin.transaction(force_rollback=True):
        admin.execute("truncate app.list_members, app.lists")  # new files: nothing of the other world lies in them
        for owner, count in ((ALICE, 2), (BOB, 7 if number else 3), (EVE, 3 if number else 7)):
            for row in range(count):
                fixed = owner == ALICE or (owner == BOB and row == 0)
                admin.execute(
                    "insert into app.lists (owner_id, id, name, created_at, updated_at) "
                    "values (%s, %s, %s, '2031-01-01', '2031-01-01')",
                    [
                        owner,
                        UUID(int=(owner.int + row if fixed else (number + 1) << 120 | owner.int + row)),
                        f"{row} of {number * (not fixed)}",
                    ],
                )
        share = (
            "insert into app.list_members (owner_id, list_id, member_id) "
            "select owner_id, id, %s from app.lists where owner_id = %s and "
        )
        admin.execute(f"{share} name = '0 of 0' and id < '01000000-0000-0000-0000-000000000000'".encode(), [ALICE, BOB])
        admin.execute(f"{share} id > '01000000-0000-0000-0000-000000000000'".encode(), [DAVE if number else EVE, BOB])
        if before:
            admin.execute(TOLD_BEFORE.encode())
        admin.execute("set local role app_user")
        admin.execute("select app.set_user_id(%s)", [str(ALICE)])
        admin.execute("set local enable_seqscan = off")
        admin.execute("set local enable_bitmapscan = off")
        for statement in attacks():
            for asked in (statement, f"explain (analyze, verbose, timing off, summary off) {statement}"):
                try:
                    with admin.transaction():
                        answers.append(f"{asked}\n{admin.execute(asked.encode()).fetchall()}")
                except psycopg.Error as error:
                    answers.append(f"{asked}\n{error.sqlstate} {error}")
    return answers


def attacks() -> Iterator[str]:
    """Case 03: whose rows, and which, by what a filter removes from a range of the key."""
    for relation in ("app.lists", "app.shared_lists()"):
        for who in (BOB, DAVE, EVE):
            yield f"select name from {relation} where owner_id = '{who}'"
        for first in range(0, 256, 8):
            low, high = UUID(int=first << 120), UUID(int=((first + 8) << 120) - 1)
            for column in ("owner_id", "id"):
                ranged = f"{column} >= '{low}' and {column} <= '{high}'"
                yield f"select id from {relation} where {ranged} order by owner_id, id"
                yield f"select count(*) from {relation} where owner_id = '{BOB}' and {ranged}"
    for who in (BOB, DAVE, EVE):
        yield f"select 1 from app.list_members where member_id = '{who}'"
        yield f"select app.list_readers(id) from app.lists where owner_id = '{who}'"
        yield f"select app.unshare_list('{BOB}', '{UUID(int=2 << 120 | BOB.int + 1)}', '{who}')"
        yield f"select app.rename_shared_list('{BOB}', '{UUID(int=2 << 120 | BOB.int + 1)}', 'mine')"
