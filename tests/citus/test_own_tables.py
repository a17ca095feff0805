"""Tables of one's own: spread by their owner or their organization beside what policies demand, and what is refused."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.errors import FeatureNotSupported, InsufficientPrivilege

from tests.citus.arena import told
from tests.citus.rig import Distributed
from tests.cli.runner import Runner, ledger
from tests.clusters import Connection
from tests.migrations.sqitch import COMMITTER
from userscope.admin import nodes
from userscope.audit.run import audit

_TABLE = """
create table app.{name} (
    {key} uuid not null default {by}, id uuid not null default gen_random_uuid(), body text not null,
    primary key ({key}, id)
);
alter table app.{name} enable row level security, force row level security;
create policy select_own on app.{name} for select to app_user using ({key} = (select {by}));
create policy insert_own on app.{name} for insert to app_user with check ({key} = (select {by}));
create policy update_own on app.{name} for update to app_user
    using ({key} = (select {by})) with check ({key} = (select {by}));
create policy delete_own on app.{name} for delete to app_user using ({key} = (select {by}));
grant select, insert ({key}, id, body), update (body), delete on app.{name} to app_user;
comment on table app.{name} is 'Of my own.';
insert into app.{name} ({key}, body) select id, name from app.{of};
"""
_USER = {"name": "notes", "key": "owner_id", "by": "app.current_user_id()", "of": "users"}
_TEAM = {"name": "boards", "key": "organization_id", "by": "app.current_organization_id()", "of": "organizations"}


@pytest.fixture(scope="module")
def people(distributed: Distributed) -> tuple[UUID, ...]:
    """Twelve users, each the owner of an organization of the same id."""
    users = tuple(uuid4() for _ in range(12))
    for user in users:
        distributed.execute(
            f"insert into app.users (id, name, email) values ('{user}', '{user}', '{user}@x.io'); "
            f"insert into app.organizations (id, name, slug) values ('{user}', '{user}', '{user}'); "
            f"insert into app.members (organization_id, user_id, role) values ('{user}', '{user}', 'owner')"
        )
    return users


@pytest.fixture
def service(distributed: Distributed) -> Iterator[Connection]:
    with distributed.coordinator.connect("service") as made:
        yield made


@pytest.mark.parametrize("table", [_USER, _TEAM], ids=["user", "organization"])
def test_spread(distributed: Distributed, people: tuple[UUID, ...], service: Connection, table: dict[str, str]) -> None:
    """Rows that were there go along, each statement asks one shard, and nobody's rows are another's."""
    name, key = f"app.{table['name']}", table["key"]
    distributed.execute(_TABLE.format(**table))
    distributed.execute(f"select app_private.distribute('{name}', '{key}')")
    assert distributed.execute(f"select obj_description('{name}'::regclass)") == [("Of my own.",)]
    for user in people:
        other = next(each for each in people if each != user)
        with service.transaction():
            service.execute("select app.set_user_id(%s)", [str(user)])
            if table is _TEAM:
                service.execute("select app.set_organization_id(%s)", [str(user)])
            assert service.execute(f"select {key}, body from {name}".encode()).fetchall() == [(user, str(user))]
            ((plan,),) = service.execute(f"explain (format json) select body from {name}".encode()).fetchall()
            assert plan[0]["Plan"]["Distributed Query"]["Job"]["Task Count"] == 1
            service.execute(f"insert into {name} (body) values ('new')".encode())
            assert service.execute(f"update {name} set body = 'changed'".encode()).rowcount == 2
            assert service.execute(f"delete from {name} where body = 'changed'".encode()).rowcount == 2
            service.execute(f"insert into {name} (body) values ('{user}')".encode())
            with pytest.raises(InsufficientPrivilege), service.transaction():
                service.execute(f"insert into {name} ({key}, body) values ('{other}', 'planted')".encode())
        if table is _TEAM:  # in an organization of somebody else's
            with pytest.raises(InsufficientPrivilege, match="not a member"), service.transaction():
                service.execute("select app.set_user_id(%s)", [str(user)])
                service.execute("select app.set_organization_id(%s)", [str(other)])
                service.execute(f"select body from {name}".encode())
    assert distributed.execute(f"select count(*), count(distinct {key}) from {name}") == [(12, 12)]


def test_as_new_table_writes_it(
    distributed: Distributed,
    people: tuple[UUID, ...],
    service: Connection,
    folder: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """With the two edits of docs/citus.md it deploys; what it told, and a right to what has a default, spread it."""
    cli = Runner(folder, capfd, **distributed.coordinator.environment, **COMMITTER)
    (folder / "pyproject.toml").write_text(
        '[tool.userscope]\ndistributed = true\nprojects = ["db"]\n', encoding="utf-8"
    )
    for name in ("schema", "policies"):
        (folder / "db" / name).mkdir(parents=True)
        plan = f"%syntax-version=1.0.0\n%project=post_{name}\n\n"
        (folder / "db" / name / "sqitch.plan").write_text(plan, encoding="utf-8")
    told = cli("new-table", "letters", "body:text:200").stderr
    table = folder / "db/schema/deploy/letters.sql"
    text = table.read_text(encoding="utf-8")
    key = next(line.strip(" ,") for line in text.splitlines() if "references app.users" in line)
    added = key.replace("references", "foreign key (owner_id) references")
    text = text.replace(key, "").replace("create trigger", f"alter table app.letters add {added};\ncreate trigger", 1)
    table.write_text(text, encoding="utf-8")
    for script, before in (
        ("deploy", "(select app.current_user_id())"),
        ("verify", "( SELECT app.current_user_id() AS current_user_id)"),
    ):
        policies = folder / f"db/policies/{script}/letters.sql"
        text = policies.read_text(encoding="utf-8")
        assert before in text
        policies.write_text(text.replace(before, "app.current_user_id()"), encoding="utf-8")
    assert {line.split()[1] for line in ledger(cli("migrate").stdout)} == {
        "post_schema:letters",
        "post_policies:letters",
    }
    distributed.execute(told.partition("says: ")[2].partition(";")[0])
    distributed.execute("grant insert (owner_id, created_at, updated_at) on app.letters to app_user")
    for user in people:
        with service.transaction():
            service.execute("select app.set_user_id(%s)", [str(user)])
            service.execute("insert into app.letters (body) values (%s)", [str(user)])
            assert service.execute("update app.letters set body = body || '.'").rowcount == 1
            assert service.execute("select owner_id, body from app.letters").fetchall() == [(user, f"{user}.")]
    assert distributed.execute("select count(*), count(distinct owner_id) from app.letters") == [(12, 12)]
    assert distributed.execute(
        "select count(distinct nodename) from citus_shards where table_name::text = 'app.letters'"
    ) == [(2,)]


def test_back(distributed: Distributed, people: tuple[UUID, ...]) -> None:
    """A table comes back to the coordinator with its rows and the policies that it had."""
    policies = (
        "select polname, pg_get_expr(polqual, polrelid) from pg_policy where polrelid = 'app.back'::regclass order by 1"
    )
    distributed.execute(_TABLE.format(**_USER | {"name": "back"}))
    before = distributed.execute(policies)
    distributed.execute("select app_private.distribute('app.back', 'owner_id')")
    assert distributed.execute(policies) != before
    distributed.execute("select app_private.gather('app.back')")
    assert distributed.execute(policies) == before
    assert distributed.execute("select count(*) from app.back") == [(len(people),)]
    distributed.execute("drop table app.back")


def test_back_alone(distributed: Distributed, people: tuple[UUID, ...]) -> None:
    """What it references stays where it is; there, too, COPY adds no row in another's name."""
    where = "select logicalrelid::text, partmethod, repmodel from pg_dist_partition order by 1"
    table = _TABLE.replace("(select {by})", "{by}").format(**_USER | {"name": "coming"})
    distributed.execute(table + "alter table app.coming add foreign key (owner_id) references app.users")
    before = distributed.execute(where)
    assert [name for name, *_ in before if name == "app.coming"], "Citus' by its key"
    distributed.execute("select app_private.distribute('app.coming', 'owner_id')")
    assert distributed.execute(where) != before
    distributed.execute("select app_private.gather('app.coming')")
    assert distributed.execute(where) == before
    assert distributed.execute("select count(*) from app.coming") == [(len(people),)]
    distributed.execute("drop table app.coming")


def test_by_copy(ready: Distributed, people: tuple[UUID, ...]) -> None:
    """Nobody adds a row in another's name to a table on the coordinator, where nodes have been looked after."""
    alice, bob, *_ = people
    table = _TABLE.replace("(select {by})", "{by}").format(**_USER | {"name": "copied"})
    ready.execute(table + "alter table app.copied add foreign key (owner_id) references app.users")

    def planted() -> list[tuple[object, ...]]:
        with ready.coordinator.connect("service") as service:
            service.execute("begin")
            service.execute("select app.set_user_id(%s)", [str(alice)])
            told(service, "copy app.copied (owner_id, body) from stdin", stdin=f"{bob}\tplanted\n".encode())
            told(service, "commit")
        return ready.execute("delete from app.copied where body = 'planted' returning owner_id")

    try:
        assert planted() == [(bob,)], "the control"
        lacking = 'COPY passes by the policies of app.copied there, which has no trigger "judge"'
        assert lacking in nodes.check(ready.coordinator.url())[0].problems
        assert [node.problems for node in nodes.apply(ready.coordinator.url())] == [()] * 3
        assert planted() == []
    finally:
        ready.execute("drop table app.copied")


@pytest.mark.usefixtures("people")
def test_refused(distributed: Distributed) -> None:
    """What Citus would open, and what cannot be answered for on shards, is refused by name and stays as it was."""
    distributed.execute(_TABLE.format(**_USER | {"name": "closing"}))
    distributed.execute("create policy office_hours on app.closing as restrictive for select to app_user using (false)")
    with pytest.raises(FeatureNotSupported, match=r"policy office_hours on app\.closing is restrictive"):
        distributed.execute("select app_private.distribute('app.closing', 'owner_id')")
    distributed.execute("drop table app.closing")
    distributed.execute("create table app_fenced.secrets (owner_id uuid not null, primary key (owner_id))")
    with pytest.raises(FeatureNotSupported, match=r"app_fenced\.secrets is fenced"):
        distributed.execute("select app_private.distribute('app_fenced.secrets', 'owner_id')")
    distributed.execute("drop table app_fenced.secrets")


def test_a_restrictive_policy(distributed: Distributed) -> None:
    """The audit finds one, before and after Citus makes it permissive on the other nodes."""
    found = "select array_agg(distinct polpermissive) from pg_policy where polname = 'office_hours'"
    distributed.execute(
        _TABLE.format(**_USER | {"name": "closing"}).replace("(select app.current_user_id())", "app.current_user_id()")
    )
    try:
        assert told_of_closing(distributed) == set()
        distributed.execute(
            "create policy office_hours on app.closing as restrictive for select to app_user using (false)"
        )
        assert told_of_closing(distributed) == {("error", "policy office_hours on app.closing")}
        distributed.execute("select create_distributed_table('app.closing', 'owner_id')")
        assert distributed.everywhere(found) == [[False], [True], [True]]
        assert told_of_closing(distributed) == {("error", "policy office_hours on app.closing")}
    finally:
        distributed.execute("drop table app.closing")


def told_of_closing(distributed: Distributed) -> set[tuple[str, str]]:
    report = audit(distributed.coordinator.url())
    return {(each.level, each.object) for each in report.findings if each.rule == "policy_restrictive"}


@pytest.mark.usefixtures("people")
def test_only_the_owner_spreads(service: Connection) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        service.execute("select app_private.distribute('app.todos', 'owner_id')")


_FENCED = (
    "create table app_fenced.secrets (owner_id uuid not null default app.current_user_id() "
    "references app.users on delete cascade, id uuid not null default gen_random_uuid(), body text not null, "
    "primary key (owner_id, id))",
    "alter table app_fenced.secrets enable row level security, force row level security",
    "create policy select_own on app_fenced.secrets for select to app_gate using (owner_id = app.current_user_id())",
    "create policy insert_own on app_fenced.secrets for insert to app_gate "
    "with check (owner_id = app.current_user_id())",
    "grant select, insert on app_fenced.secrets to app_gate",
    "create view app.secrets with (security_barrier) as select owner_id, id, body from app_fenced.secrets offset 0",
    "create function app_fenced.write_secrets() returns trigger language plpgsql security definer "
    "set search_path = pg_catalog, pg_temp as 'begin insert into app_fenced.secrets as t (body) values (new.body) "
    "returning t.owner_id, t.id, t.body into new; return new; end'",
    "revoke all on function app_fenced.write_secrets() from public",
    "create trigger write instead of insert on app.secrets for each row execute function app_fenced.write_secrets()",
    "alter view app.secrets owner to app_gate",
    "alter function app_fenced.write_secrets() owner to app_gate",
    "grant select, insert (body) on app.secrets to app_user",
    "select app_private.answer_by_function('app.secrets')",
    "select app_private.distribute('app_fenced.secrets')",
    "select app_private.read_own_copies('app.secrets()', '{app_fenced.secrets}')",
)


def test_fenced(distributed: Distributed, people: tuple[UUID, ...], service: Connection) -> None:
    """Whole on every node, it answers as app.account does: by a function that reads the node's own copy."""
    for statement in _FENCED:
        distributed.execute(statement)
    for user in people[:3]:
        with service.transaction():
            service.execute("select app.set_user_id(%s)", [str(user)])
            assert service.execute("select body from app.secrets").fetchall() == []
            service.execute("insert into app.secrets (body) values (%s)", [str(user)])
            service.execute("insert into app.todos (title) values (%s)", [str(user)])
        with service.transaction():
            service.execute("select app.set_user_id(%s)", [str(user)])
            assert service.execute("select owner_id, body from app.secrets").fetchall() == [(user, str(user))]
            joined = "select secrets.body, todos.title from app.secrets, app.todos"
            assert service.execute(joined.encode()).fetchall() == [(str(user), str(user))]
            with pytest.raises(InsufficientPrivilege), service.transaction():
                service.execute("select 1 from app_fenced.secrets")
    assert distributed.execute("select count(distinct owner_id) from app_fenced.secrets") == [(3,)]
