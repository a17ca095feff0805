"""docs/owners.md: an owner whom policies bind reaches its rows when it is logged in, and not in what services call."""

import subprocess
from collections.abc import Iterator

import psycopg
import pytest

from tests.clusters import MAIN, ROOT, Database, cluster_of, deploy, make_logins
from tests.docs import console
from tests.versions import binaries, both_ends
from userscope.audit import drift, run

TITLES = "select title from app.todos order by title"
PEOPLE = """
    insert into app.users (id, name, email)
    select gen_random_uuid(), name, name || '@x.io' from unnest('{a,b}'::text[]) as name
"""
EVERYTHING = """
    create function app.everything() returns text language sql stable security definer
        set search_path = pg_catalog, pg_temp return (select min(title) from app.todos);
    grant execute on function app.everything() to app_user;
    create view app.all_todos as select title from app.todos;
    grant select on app.all_todos to app_user
"""


@pytest.fixture(scope="module", params=both_ends(MAIN, 15))
def plain(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database migrated by a role without BYPASSRLS, as on RDS, Cloud SQL or Azure, with two people's todos."""
    with cluster_of(version=request.param) as cluster:
        made = cluster.database("plain")
        deploy(made.url())
        make_logins(made)
        with made.connect() as owner:  # a fixture, as the owner writes it
            owner.execute(PEOPLE)
            owner.execute("insert into app.todos (owner_id, title) select id, name from app.users")
        yield made


def test_data_migration(plain: Database) -> None:
    """The owner reads and changes everybody's rows, as "set role" from another login that may become it does."""
    with plain.connect() as owner, owner.transaction(force_rollback=True):
        assert owner.execute(TITLES).fetchall() == [("a",), ("b",)]
        assert owner.execute("update app.todos set title = upper(title)").rowcount == 2
        assert owner.execute("delete from app.users").rowcount == 2
    plain.cluster.create_login("deployer")
    with plain.superuser_connection() as superuser:
        superuser.execute(f"grant {plain.owner} to deployer".encode())
    with psycopg.connect(plain.cluster.conninfo(dbname=plain.name, user="deployer"), autocommit=True) as deployer:
        assert deployer.execute(TITLES).fetchall() == [("a",), ("b",)]
        deployer.execute(f"set role {plain.owner}".encode())
        assert deployer.execute(TITLES).fetchall() == [("a",), ("b",)]
    with plain.superuser_connection() as superuser:
        superuser.execute("drop role deployer")


def test_without_it(plain: Database) -> None:
    """Control: it is the policy that lets the owner in; without it nothing is changed, and only the audit says so."""
    with plain.connect() as owner, owner.transaction(force_rollback=True):
        owner.execute("select app_private.admit_owner('app.todos', admitted => false)")
        assert owner.execute("update app.todos set title = upper(title)").rowcount == 0
        found = owner.execute(run.questions()["owner_bound"].encode()).fetchall()
        assert [row[:4] for row in found] == [
            ("warning", "owner_bound", "app.todos", "its owner sees none of its rows")
        ]
        owner.execute(found[0][5].encode())
        assert owner.execute("update app.todos set title = upper(title)").rowcount == 2


def test_services_do_not_come_in_by_it(plain: Database) -> None:
    """What a service calls or reads with the owner's rights shows nothing. Controls: other conditions do."""
    with plain.connect() as owner:
        owner.execute(EVERYTHING)
    by_function, by_view = "select app.everything()", "select min(title) from app.all_todos"
    with plain.connect("service") as service, plain.connect() as owner:
        assert [service.execute(query).fetchone() for query in (by_function, by_view)] == [(None,)] * 2
        owner.execute("alter policy all_owner on app.todos using (session_user = current_user)")
        assert [service.execute(query).fetchone() for query in (by_function, by_view)] == [(None,), ("a",)]
        owner.execute("alter policy all_owner on app.todos using (true)")
        assert [service.execute(query).fetchone() for query in (by_function, by_view)] == [("a",)] * 2
        owner.execute("select app_private.admit_owner('app.todos')")
        owner.execute("drop function app.everything(); drop view app.all_todos")
        assert service.execute("select count(*) from app.todos").fetchone() == (0,)


def test_dump(plain: Database) -> None:
    """pg_dump --enable-row-security writes every row; without the option it fails, as it did, and writes no half."""
    program = binaries(plain.cluster.version) / "pg_dump"
    command = [str(program), "--data-only", "--table", "app.todos", "-d", plain.url().text()]
    whole = subprocess.run([*command, "--enable-row-security"], capture_output=True, text=True, check=True).stdout
    assert [line.split("\t")[2] for line in whole.splitlines() if line.count("\t") > 5] == ["a", "b"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (refused.returncode, "row-level security" in refused.stderr) == (1, True)


def test_page(plain: Database) -> None:
    """The page's table is its owner's to fill, but by COPY, and its policy is the one that is shown."""
    blocks = console.blocks((ROOT / "docs" / "owners.md").read_text(encoding="utf-8"), "sql")
    assert len(blocks) == 2
    with plain.superuser_connection() as superuser:
        superuser.execute(f"grant create on schema public to {plain.owner}".encode())
    with plain.connect() as owner, owner.transaction(force_rollback=True):
        owner.execute(blocks[0].encode())
        policy = "select pg_get_expr(polqual, polrelid) from pg_policy where polrelid = 'public.item'::regclass"
        before = owner.execute(policy).fetchall()
        owner.execute(f"alter policy all_owner on public.item {blocks[1].replace('the owner', plain.owner)}".encode())
        assert owner.execute(policy).fetchall() == before
        owner.execute("insert into public.item (owner_id, title) select id, 'a fixture' from app.users")
        assert owner.execute("select title from public.item").fetchall() == [("a fixture",)] * 2
        refused = pytest.raises(psycopg.errors.FeatureNotSupported, match="COPY FROM not supported")
        with refused, owner.transaction(), owner.cursor().copy("copy public.item (title) from stdin"):
            pass


def test_audit(plain: Database) -> None:
    """Neither the audit nor drift minds that the owner is let in; the audit minds each table where it is not."""
    tables = [
        "accounts",
        "invitations",
        "jwks",
        "members",
        "organizations",
        "sessions",
        "todos",
        "users",
        "verifications",
    ]
    admitted = "select app_private.admit_owner(format('app.%%I', name)::regclass, %s) from unnest(%s::text[]) as name"
    before = run.audit(plain.url()).findings
    with plain.connect() as owner:
        facts = drift.facts(owner, {})
        owner.execute(admitted, [False, tables])
        assert drift.facts(owner, {}) == facts
        found = [finding for finding in run.audit(plain.url()).findings if finding not in before]
        owner.execute(admitted, [True, tables])
    assert [(finding.rule, finding.object) for finding in found] == [("owner_bound", f"app.{name}") for name in tables]
    assert run.audit(plain.url()).findings == before
    assert "owner_bound" not in {finding.rule for finding in before}
    assert len([name for kind, name in facts if kind == "policy"]) > 10
