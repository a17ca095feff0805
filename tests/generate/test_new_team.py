"""``userscope new-table --organization``: what it writes keeps a team's rows, behind a fence as well."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.clusters import Database
from tests.generate.conftest import EVERY_TYPE, Run, contents
from tests.processes import eventually


@pytest.mark.breadth
@pytest.mark.parametrize(("fenced", "tests"), [([], 5), (["--fenced"], 6)], ids=["", "fenced"])
def test_whole_organization(run: Run, clone: Path, migrated: Database, fenced: list[str], tests: int) -> None:
    """A table of organizations as well: it deploys, nothing is found, its test passes, and a hole fails the test."""
    words = (
        "new-table",
        "boards",
        *EVERY_TYPE,
        "--organization",
        "--delete-by",
        "owner,admin",
        "--test",
        "test_it.py",
        *fenced,
    )
    assert run(clone, "userscope", *words).code == 0
    assert "+ policies:boards" in run(clone, "userscope", "migrate", database=migrated).stdout
    assert run(clone, "userscope", "audit", database=migrated).stdout.endswith("Nothing found.\n")
    test = ("pytest", "-q", "-x", "-W", "error", "-p", "no:cacheprovider", "-p", "userscope.testing", "test_it.py")
    assert f"{tests} passed" in run(clone, *test, database=migrated).stdout
    with migrated.superuser_connection() as superuser:
        hole = "alter policy delete_own on app{}.boards using (organization_id = app.current_organization_id())"
        superuser.execute(hole.format("_fenced" if fenced else "").encode())
    assert run(clone, "userscope", "verify", database=migrated).code == 1
    assert "1 failed" in run(clone, *test, database=migrated).stdout


@pytest.mark.breadth
def test_deleting_behind_a_fence(run: Run, clone: Path, migrated: Database) -> None:
    """What a role may not delete stays without a word, as in any table; a row that was changed meanwhile is 40001."""
    run(clone, "userscope", "new-table", "boards", "name:text", "--organization", "--delete-by", "owner", "--fenced")
    assert run(clone, "userscope", "migrate", database=migrated).code == 0
    owner, member, team = (str(uuid4()) for _ in range(3))
    with migrated.superuser_connection() as superuser:
        for user in (owner, member):
            superuser.execute("insert into app.users (id, name, email) values (%s, '', %s)", [user, f"{user}@x.io"])
        superuser.execute("insert into app.organizations (id, name, slug) values (%s, 'Team', 'team')", [team])
        memberships = (
            "insert into app.members (organization_id, user_id, role) values (%s, %s, 'owner'), (%s, %s, 'member')"
        )
        superuser.execute(memberships, [team, owner, team, member])
    with migrated.connect("service") as one, migrated.connect("service") as other, ThreadPoolExecutor(1) as apart:
        for connection, user in ((one, owner), (other, member)):
            connection.execute("begin")
            connection.execute("select app.set_user_id(%s), app.set_organization_id(%s)", [user, team])
        other.execute("insert into app.boards (name) values ('first')")
        assert other.execute("delete from app.boards").rowcount == 0
        assert other.execute("update app.boards set name = 'second'").rowcount == 1
        other.execute("commit and chain")
        other.execute("select app.set_user_id(%s), app.set_organization_id(%s)", [member, team])
        other.execute("update app.boards set name = 'third'")
        deleted = apart.submit(one.execute, "delete from app.boards")
        waits = "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        with migrated.superuser_connection() as superuser:
            eventually(lambda: superuser.execute(waits.encode()).fetchone() is not None)
        other.execute("commit")
        with pytest.raises(psycopg.errors.SerializationFailure):
            deleted.result()
        one.execute("rollback and chain")
        one.execute("select app.set_user_id(%s), app.set_organization_id(%s)", [owner, team])
        assert one.execute("delete from app.boards").rowcount == 1


def test_refused_of_organizations(run: Run, clone: Path) -> None:
    """What a table of organizations cannot have is refused, and nothing is written."""
    before = contents(clone)
    for given in ("--delete-by owner", "note:json --organization --fenced", "created_by:date --organization"):
        done = run(clone, "userscope", "new-table", "boards", *given.split())
        assert (done.code, "ERROR:" in done.stderr, contents(clone)) == (2, True, before)
