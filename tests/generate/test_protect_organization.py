"""``userscope protect --organization``: a table that exists, whose rows belong to organizations."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.clusters import Connection, Database, dump
from userscope.audit.run import audit
from userscope.errors import ConfigurationError
from userscope.generate.protection.revision import both_ways
from userscope.generate.protection.study import Asked, study

ALICE, BOB, ACME, BETA = (f"0c0c0c0c-0000-4000-8000-00000000000{number}" for number in range(4))
TABLES = f"""
insert into app.users (id, name, email) values ('{ALICE}', 'a', 'a@example.com'), ('{BOB}', 'b', 'b@example.com');
insert into app.organizations (id, name, slug) values ('{ACME}', 'Acme', 'acme'), ('{BETA}', 'Beta', 'beta');
insert into app.members (organization_id, user_id, role)
values ('{ACME}', '{ALICE}', 'owner'), ('{BETA}', '{BOB}', 'owner');
create table public.projects (
    id bigint generated always as identity primary key,
    organization_id uuid not null references app.organizations, title text
);
create table public.steps (
    id bigint generated always as identity primary key,
    project_id bigint not null references public.projects, title text
);
create table public.profiles (user_id uuid references app.users, organization text);
insert into public.projects (organization_id, title) values ('{ACME}', 'acme''s'), ('{BETA}', 'beta''s');
insert into public.steps (project_id, title) select id, title from public.projects;
"""
PROJECTS = Asked("public.projects", owner="organization_id", organization=True)
STEPS = Asked("public.steps", through=["project_id"])
BOTH = ("projects", "steps")


@pytest.fixture
def existing(database: Database) -> Database:
    with database.connect() as owner:
        owner.execute(TABLES.encode())
    return database


def protect(database: Database, *asked: Asked) -> list[list[str]]:
    """Deploy and verify what is written for each; return the ways back, the last one first."""
    back = []
    for each in asked:
        found = study(database.url(), each)
        assert not found.protected
        scripts = found.protection.scripts("schema", "policies")
        with database.connect() as owner:
            for project in ("schema", "policies"):
                for word in ("deploy", "verify"):
                    owner.execute(scripts[project, word].encode())
        assert study(database.url(), each).protected
        back.append([scripts["policies", "revert"], scripts["schema", "revert"]])
    return back[::-1]


@contextmanager
def acting(database: Database, user: str, organization: str | None) -> Iterator[Connection]:
    with database.connect("service") as service, service.transaction(force_rollback=True):
        service.execute("select app.set_user_id(%s), app.set_organization_id(%s)", [user, organization])
        yield service


def titles(service: Connection, table: str) -> list[str]:
    return [row[0] for row in service.execute(f"select title from public.{table}".encode())]


def test_isolation(existing: Database) -> None:
    """Members reach their organization's rows, by a column and through a parent; who is no member is refused."""
    protect(existing, PROJECTS, STEPS)
    for user, own, other in ((ALICE, ACME, BETA), (BOB, BETA, ACME)):
        title = {ACME: "acme's", BETA: "beta's"}[own]  # both are there: a policy hid one from the other
        with acting(existing, user, own) as service:
            for table in BOTH:
                assert titles(service, table) == [title]
                assert service.execute(f"update public.{table} set title = 'x'".encode()).rowcount == 1
            add = "insert into public.projects (organization_id, title) values (%s, 'new')"
            assert service.execute(add, [own]).rowcount == 1
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="policy"), service.transaction():
                service.execute(add, [other])
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="denied"), service.transaction():
                service.execute("update public.projects set organization_id = organization_id")
            assert service.execute("delete from public.steps").rowcount == 1
        with acting(existing, user, None) as service:
            assert [titles(service, table) for table in BOTH] == [[], []]
        for table in BOTH:
            refused = pytest.raises(psycopg.errors.InsufficientPrivilege, match="not a member")
            with refused, acting(existing, user, other) as service:
                titles(service, table)
    errors = [each for each in audit(existing.url()).findings if each.level == "error" and "public." in each.object]
    assert errors == []


def test_way_back(existing: Database) -> None:
    """There and back leaves nothing, as two changes and as one script."""
    before = dump(existing)
    back = protect(existing, PROJECTS, STEPS)
    assert "An organization''s own rows." in "".join(
        study(existing.url(), PROJECTS).protection.scripts("schema", "policies")["schema", "deploy"]
    )
    with existing.connect() as owner:
        for scripts in back:
            for script in scripts:
                owner.execute(script.encode())
        assert dump(existing) == before
        ways = both_ways(study(existing.url(), PROJECTS).protection)
        for way in ways:
            with owner.transaction():
                for statement in way:
                    owner.execute(statement.encode())
    assert dump(existing) == before


def test_stands_on(existing: Database) -> None:
    """Its policies stand on ours of organizations; what is through it, on its own."""
    deploy = study(existing.url(), PROJECTS).protection.scripts("shop", "shop_policies")["shop_policies", "deploy"]
    assert deploy.splitlines()[:5] == [
        "-- Deploy shop_policies:projects to pg",
        "-- requires: policies:access",
        "-- requires: shop:projects",
        "-- requires: policies:organizations",
        "",
    ]
    assert "A member sees the rows of the organization that they act in." in deploy


REFUSED = {
    "an organization's, for a user's": (Asked("public.projects", "organization_id"), "refers to app.organizations"),
    "a user's, for an organization's": (
        Asked("public.profiles", "user_id", organization=True),
        "column user_id of public.profiles refers to app.users",
    ),
    "no uuid": (Asked("public.profiles", "organization", organization=True), "cannot name an organization"),
    "no column": (Asked("public.steps", through=["project_id"], organization=True), "says what --owner names"),
}


@pytest.mark.parametrize(("asked", "words"), REFUSED.values(), ids=REFUSED)
def test_refused(existing: Database, asked: Asked, words: str) -> None:
    """What names no organization is refused with one sentence, and its cure."""
    with pytest.raises(ConfigurationError) as raised:
        study(existing.url(), asked)
    assert words in raised.value.message
    assert raised.value.hint


def test_without_organizations(existing: Database) -> None:
    """Where organizations are not deployed, nothing is written."""
    with existing.superuser_connection() as superuser:
        superuser.execute("drop function app.current_organization_id(text[]) cascade")
    with pytest.raises(ConfigurationError, match="organizations are not deployed here"):
        study(existing.url(), PROJECTS)
