"""Rows of an organization: every member by their role × every command, and nobody else."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from psycopg.errors import InsufficientPrivilege

from tests.isolation.teams import Teams, ask

BOARDS = """
    create table app.boards (
        organization_id uuid not null default app.current_organization_id()
                        references app.organizations on delete cascade,
        id uuid not null default gen_random_uuid(), name text not null, primary key (organization_id, id));
    alter table app.boards enable row level security, force row level security;
    create policy select_own on app.boards for select to app_user
        using (organization_id = (select app.current_organization_id()));
    create policy insert_own on app.boards for insert to app_user
        with check (organization_id = (select app.current_organization_id()));
    create policy update_own on app.boards for update to app_user
        using (organization_id = (select app.current_organization_id()))
        with check (organization_id = (select app.current_organization_id()));
    create policy delete_own on app.boards for delete to app_user
        using (organization_id = (select app.current_organization_id('owner', 'admin')));
    grant select, insert, update, delete on app.boards to app_user;
"""
"""A table of organizations, every column open to be written: its policies stand alone."""


@pytest.fixture
def boards(teams: Teams) -> Iterator[Teams]:
    """A table of organizations, with a row of each."""
    teams.world.admin.execute(BOARDS)
    teams.world.admin.execute(
        "insert into app.boards (organization_id, name) values (%s, 'Acme''s'), (%s, 'Beta''s')",
        [teams.acme, teams.beta],
    )
    yield teams
    teams.world.admin.execute("drop table app.boards")


ALL_BOARDS = "select organization_id, name from app.boards"
COMMANDS = {
    "select": ALL_BOARDS,
    "insert": "insert into app.boards (name) values ('new')",
    "update": "update app.boards set name = 'new'",
    "delete": "delete from app.boards",
    "give away": "update app.boards set organization_id = '{beta}'",
    "take": "insert into app.boards (organization_id, name) values ('{beta}', 'planted')",
}
NOT_A_MEMBER, VIOLATES = "not a member of this organization", "violates row-level security policy"
OUT: dict[str, object] = dict.fromkeys(COMMANDS, NOT_A_MEMBER)
MATRIX: dict[str, dict[str, object]] = {
    "alice": {"select": 1, "insert": 1, "update": 1, "delete": 1, "give away": VIOLATES, "take": VIOLATES},
    "admin": {"select": 1, "insert": 1, "update": 1, "delete": 1, "give away": VIOLATES, "take": VIOLATES},
    "member": {"select": 1, "insert": 1, "update": 1, "delete": 0, "give away": VIOLATES, "take": VIOLATES},
    "bob": OUT, "former": OUT, "invited": OUT,
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", MATRIX)
def test_rows_of_an_organization(boards: Teams, name: str, command: str) -> None:
    """Members reach their organization's rows by their role and no other's, and whoever is no member none."""
    before = ask(boards.world.admin, ALL_BOARDS)
    expected = MATRIX[name][command]
    query = COMMANDS[command].format(beta=boards.beta).encode()
    if isinstance(expected, str):
        with pytest.raises(InsufficientPrivilege, match=expected), boards.acting(name, boards.acme) as connection:
            connection.execute(query)
        assert ask(boards.world.admin, ALL_BOARDS) == before
        return
    with boards.acting(name, boards.acme) as connection:
        assert connection.execute(query).rowcount == expected
    after = ask(boards.world.admin, ALL_BOARDS)
    assert (boards.beta, "Beta's") in after
    assert (after == before) == (command == "select" or expected == 0)


@pytest.mark.parametrize("name", ["alice", None])
@pytest.mark.parametrize("command", COMMANDS)
def test_no_organization(boards: Teams, name: str | None, command: str) -> None:
    """Without an organization no row of any is reached, by a user of several or by nobody."""
    before = ask(boards.world.admin, ALL_BOARDS)
    query = COMMANDS[command].format(beta=boards.beta).encode()
    acting = boards.acting(name) if name else boards.world.acting_as(None)
    if command in ("insert", "take"):
        with pytest.raises(InsufficientPrivilege, match=VIOLATES), acting as connection:
            connection.execute(query)
    else:
        with acting as connection:
            assert connection.execute(query).rowcount == 0
    assert ask(boards.world.admin, ALL_BOARDS) == before


def test_between_organizations_of_one_user(boards: Teams) -> None:
    """One user's two organizations are apart: each transaction reaches the one that it acts in; a nested claim too."""
    boards.join(boards.beta, "alice", "member")
    for organization, name in ((boards.acme, "Acme's"), (boards.beta, "Beta's"), (boards.acme, "Acme's")):
        with boards.acting("alice", organization) as connection:
            assert ask(connection, "select name from app.boards") == {(name,)}
    with boards.acting("alice", boards.acme) as connection:
        assert ask(connection, "select name from app.boards") == {("Acme's",)}
        assert ask(connection, "select count(*) from app.todos") == {(8,)}  # personal rows, in the same session


def test_an_id_of_another_organization(boards: Teams) -> None:
    """An id that is another organization's is neither found out nor in the way."""
    ((key,),) = boards.world.admin.execute(
        "select id from app.boards where organization_id = %s", [boards.beta]
    ).fetchall()
    with boards.acting("member", boards.acme) as connection:
        connection.execute("insert into app.boards (id, name) values (%s, 'same')", [key])
        connection.execute("insert into app.boards (id, name) values (%s, 'other')", [uuid4()])
    assert len(ask(boards.world.admin, ALL_BOARDS)) == 4
