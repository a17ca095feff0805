"""Whole kinds of policies: what is true of one's own rows alone, however it is written, and what only looks like it."""

import pytest

from tests.audit.test_judge import found, shapes
from tests.clusters import Connection

RIGHT, OPEN = "is true of one's own alone", "lets others' pass"
READER, STRANGER, OTHER = (f"{letter}0000000-0000-0000-0000-000000000000" for letter in "abc")
TABLE = """
create table lib.T (id int, reader_id uuid not null references lib.readers, house_id uuid not null
    references lib.houses, title text, public boolean not null default false, helpers uuid[], doc jsonb);
alter table lib.T enable row level security;
grant select on lib.T to authenticated;
"""
PEOPLE = f"""
reset role;
insert into auth.users (id) values ('{READER}'), ('{STRANGER}'), ('{OTHER}');
insert into lib.readers (id) select id from auth.users;
insert into lib.houses (id) select id from lib.readers where id <> '{STRANGER}';
insert into lib.cards (reader_id, house_id, rank) select id, id, 'keeper' from lib.houses;
"""
ROWS = """
insert into lib.T select number, id, id, 'title', false, (array[null, '{}', array[id]::text])[number]::uuid[],
       jsonb_build_object('owner', id, 'open', true, id, 'editor',
                          'members', jsonb_build_array(id, jsonb_build_object('id', id, 'rank', 'keeper')))
  from lib.houses, generate_series(1, 3) as number;
"""


@pytest.fixture
def kinds(project: Connection) -> dict[str, tuple[str, str]]:
    """A table for each; what is said of each policy, and its title."""
    project.execute("create policy r on lib.houses for select using (true); alter table lib.houses add parent_id uuid")
    made: dict[str, tuple[str, str]] = {}
    for name, said in (("right", RIGHT), ("open", OPEN)):
        for title, sql in shapes(name, "kinds"):
            if "since 17" in title and project.info.server_version < 170000:
                continue
            number = len(made)
            project.execute(f"{TABLE}{sql}".replace("lib.T", f"lib.t{number}").replace("T.", f"t{number}.").encode())
            made[f"policy r on lib.t{number}"] = (said, title)
    project.execute("grant execute on all functions in schema lib to authenticated")
    return made


def test_judged(project: Connection, kinds: dict[str, tuple[str, str]]) -> None:
    """The one is accused of nothing, the other is an error."""
    told = {one.object: (one.level, one.rule) for one in found(project, "select") if one.level != "info"}
    assert told == {one: ("error", "policy_open") for one, (said, _) in kinds.items() if said == OPEN}


@pytest.mark.breadth
def test_tried(project: Connection, kinds: dict[str, tuple[str, str]]) -> None:
    """It is so: through the one readers see their own, and through the other somebody sees what is not theirs."""
    project.execute(
        (PEOPLE + "".join(ROWS.replace("lib.T", f"lib.t{number}") for number in range(len(kinds)))).encode()
    )
    project.execute("set local role authenticated")
    for policy, (said, title) in kinds.items():
        strangers = seen_by(project, policy, STRANGER) | seen_by(project, policy, "")
        if said == RIGHT:
            assert (seen_by(project, policy, READER), strangers) == ({READER}, set()), title
        else:
            assert strangers, title


def seen_by(connection: Connection, policy: str, who: str) -> set[str]:
    """Whose rows somebody sees."""
    table = policy.rpartition(" ")[2]
    claims = f'{{"sub": "{who}"}}' if who else ""
    connection.execute("select set_config('request.jwt.claims', %s, true)", [claims])
    return {reader for (reader,) in connection.execute(f"select distinct reader_id::text from {table}".encode())}
