"""What ``userscope protect`` writes for a table that exists keeps users to their own rows, and can be taken back."""

import dataclasses

import psycopg
import pytest

from tests.clusters import Cluster, Connection, Database, OwnerKind, deploy, dump, first_of
from tests.generate.existing import IDS, ITEMS, LISTS, NOTES, Application, application
from userscope.audit.run import audit
from userscope.errors import ConfigurationError
from userscope.generate.protection.study import Asked

KINDS = [pytest.param(kind, marks=[] if kind in ("uuid", "bigint") else pytest.mark.breadth) for kind in IDS]
CONTENT = {"lists": "title", "items": "name", "notes": "body"}
"""Of each table, the column that says whose it is."""


def told(app: Application, user: str | None) -> list[set[str]]:
    """What somebody sees in each of the three tables."""
    with app.acting_as(user) as service:
        queries = (f"select {column} from public.{table}" for table, column in CONTENT.items())
        return [{row[0] for row in service.execute(query.encode())} for query in queries]


def refused(service: Connection, words: str, statement: str, *values: object) -> None:
    """Expect that PostgreSQL refuses a statement; the transaction goes on."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=words), service.transaction():
        service.execute(statement.encode(), values)


def first_id(app: Application, table: str, content: str) -> object:
    """The id of the row with this content, policies or not."""
    with app.database.superuser_connection() as superuser:
        query = f"select min(id::text) from public.{table} where {CONTENT[table]} = %s"
        return (superuser.execute(query.encode(), [content]).fetchone() or (None,))[0]


@pytest.mark.parametrize("kind", KINDS)
def test_isolation(any_database: Database, kind: str) -> None:
    """By a column, through one parent and through two: each user reaches their own rows, and nobody else's."""
    app = application(any_database, kind)
    app.protect(LISTS, ITEMS, NOTES)
    assert told(app, app.alice) == [{"alice's"}] * 3
    assert told(app, app.bob) == [{"bob's", "more of bob's"}] * 3  # both are there: a policy hid one from the other
    assert told(app, None) == [set()] * 3
    for user, other, rows in ((app.alice, "bob's", 1), (app.bob, "alice's", 201)):
        theirs = {table: first_id(app, table, other) for table in CONTENT}
        for table, column in CONTENT.items():
            with app.acting_as(user) as service:
                assert service.execute(f"update public.{table} set {column} = 'x'".encode()).rowcount == rows
                assert service.execute(f"delete from public.{table}".encode()).rowcount == rows
        with app.acting_as(user) as service:
            (mine,) = service.execute(
                "insert into public.lists (owner_id, title) values (%s, 'new') returning id", [user]
            ).fetchone() or (None,)
            (item,) = service.execute(
                "insert into public.items (list_id, name) values (%s, 'new') returning id", [mine]
            ).fetchone() or (None,)
            assert service.execute("insert into public.notes (item_id) values (%s)", [item]).rowcount == 1
            refused(service, "policy", "insert into public.lists (owner_id, title) values (%s, 'x')",
                    app.bob if user == app.alice else app.alice)  # fmt: skip
            refused(service, "denied", "update public.lists set owner_id = owner_id")
            for there in (theirs["lists"], 10**9):  # somebody else's, and nobody's: alike
                refused(service, "policy", "insert into public.items (list_id, name) values (%s, 'x')", there)
                refused(service, "policy", "update public.items set list_id = %s", there)
            for there in (theirs["items"], 10**9):
                refused(service, "policy", "insert into public.notes (item_id) values (%s)", there)
                refused(service, "policy", "update public.notes set item_id = %s", there)


@pytest.mark.parametrize("kind", KINDS)
def test_audit(any_database: Database, kind: str) -> None:
    """The audit finds no error on what was protected, no statistics are left to tell, and each plan is indexed."""
    app = application(any_database, kind)
    app.protect(LISTS, ITEMS, NOTES)
    found = [finding for finding in audit(any_database.url()).findings if "public." in finding.object]
    assert [finding for finding in found if finding.level == "error"] == []
    assert {finding.rule for finding in found} == {"index_aimed", "owner_column", "relation_kind", "rls_disabled"}
    assert [finding.object for finding in found if finding.rule == "rls_disabled"] == ["public.people"]
    with any_database.superuser_connection() as superuser:
        superuser.execute("analyze")
        kept = "select distinct tablename from pg_stats where schemaname = 'public'"
        assert superuser.execute(kept.encode()).fetchall() == [("people",)]
    with app.acting_as(app.alice) as service:
        service.execute("set local enable_seqscan = off")
        for table, condition in {"lists": "owner_id = ", "items": "list_id = ANY", "notes": "item_id = ANY"}.items():
            plan = [row[0] for row in service.execute(f"explain (costs off) select * from public.{table}".encode())]
            assert not [line for line in plan if "Seq Scan" in line], plan
            assert [line for line in plan if "Index Cond: (" in line and condition.split(" = ")[0] in line], plan


@pytest.mark.breadth
@pytest.mark.parametrize("kind", first_of("plain", "superuser", "neon"))
def test_way_back(any_cluster: Cluster, kind: OwnerKind) -> None:
    """Whoever owns it: there and back leaves nothing, twice; rows, constraints and what others were granted stay."""
    owned = any_cluster.database(kind)
    deploy(owned.url())
    app = application(owned)
    with owned.connect() as owner:
        owner.execute("alter table public.lists alter title set statistics 50")
        owner.execute("grant select on public.lists to public; grant update (title) on public.lists to app_user")
        before, rows = dump(owned), contents(owned)
        dumps = []
        for _ in range(2):
            done = app.protect(LISTS, ITEMS, NOTES)
            dumps.append(dump(owned))
            assert contents(owned) == rows
            for protection in reversed(done):
                scripts = protection.scripts("schema", "policies")
                for project in ("policies", "schema"):
                    owner.execute(scripts[project, "revert"].encode())
            assert dump(owned) == before
    assert dumps[0] == dumps[1] != before
    assert "GRANT SELECT ON TABLE public.lists TO PUBLIC" in before
    assert "GRANT SELECT ON TABLE public.lists TO PUBLIC" not in dumps[0]
    owned.drop()


def contents(database: Database) -> list[object]:
    """Every row of the application, policies or not."""
    with database.superuser_connection() as superuser:
        return [superuser.execute(f"select * from public.{table} order by id".encode()).fetchall() for table in CONTENT]


def test_statistics_of_a_plain_owner(any_cluster: Cluster) -> None:
    """What ANALYZE wrote before is cleared by whoever owns the table; what cannot be is said, with who can."""
    owned = any_cluster.database("plain")
    deploy(owned.url())
    app = application(owned)
    said: list[str] = []
    with owned.connect() as owner:
        owner.execute("create view public.titles as select title from public.lists")
        owner.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
        owner.execute(app.study(LISTS).protection.scripts("schema", "policies")["schema", "deploy"].encode())
    with owned.superuser_connection() as superuser:
        query = "select attname from pg_stats where tablename in ('lists', 'lists_title') order by 1"
        left = [row[0] for row in superuser.execute(query.encode())]
    if any_cluster.version >= 18:
        assert (left, said) == ([], [])
    else:  # up to 17 by the column's own type anew, which neither a view nor an index lets happen
        assert left == ["lower", "title"]
        assert said == [
            f"statistics of public.{name} are stored still" for name in ("lists.title", "lists_title.lower")
        ]
    owned.drop()


BEYOND = """
alter table public.lists alter owner_id drop not null;
update public.lists set owner_id = null where title = 'bob''s';
create unique index on public.lists (title) where title not like 'more%';
create view public.seen as select title from public.lists;
create view public.seen_again as select title from public.seen;
create view public.safe with (security_invoker) as select title from public.lists;
create materialized view public.kept as select title from public.lists;
create function public.count_lists() returns bigint language sql security definer
    as 'select count(*) from public.lists';
create statistics public.pairs on title, created_at from public.lists;
grant select on public.lists to public;
grant select (title) on public.lists to app_roster;
"""


def test_what_it_cannot_do(database: Database) -> None:
    """Whatever no policy changes is named, and what it says would cure that does."""
    app = application(database)
    with database.connect() as owner:
        owner.execute(BEYOND.encode())
        with pytest.raises(ConfigurationError, match=r"public\.lists has rows without an owner: 1"):
            app.study(LISTS)
        asked = dataclasses.replace(LISTS, without_owner=True)
        found = app.study(asked).beyond
        assert [what for what, _ in found] == [
            "rows without an owner, which nobody sees: 1",
            "select on public.lists to public is taken back, and given again by the way back",
            "sequence public.lists_id_seq tells app_user how many rows everybody makes",
            "owner_id may be null, and such a row is seen by nobody",
            "unique key public.lists_title_idx tells whoever writes title that a value is taken",
            "materialized view public.kept keeps rows of everybody, and no policy judges it",
            'view public.seen shows its reader what its owner "postgres" sees',
            'view public.seen_again shows its reader what its owner "postgres" sees',
            'function public.count_lists() acts as its owner "postgres", and names public.lists',
            "statistics public.pairs tell by EXPLAIN about rows of everybody",
            "table public.items refers to it, and is not protected",
            "role app_roster has rights on it, and no policy lets it reach a row",
        ]
        owner.execute("delete from public.lists where owner_id is null")
        for _, cure in found:
            if cure.startswith(("alter", "drop", "revoke")):
                owner.execute(cure.encode())
    left = [what.partition(" ")[0] for what, _ in app.study(asked).beyond]
    assert left == ["select", "sequence", "unique", "table", "role"]
    through_two = dataclasses.replace(NOTES, through=["item_id", "list_id"], owner="owner_id")
    assert [what for what, _ in app.study(through_two).beyond if "not protected yet" in what] == [
        f"public.{name} is not protected yet, and says whose these rows are" for name in ("items", "lists")
    ]


def test_what_refers_to_it(database: Database) -> None:
    """What refers to a user's own key has its owner in that column; what refers to a user's row, through it."""
    app = application(database)
    assert "userscope protect public.lists --owner owner_id" in [
        cure for _, cure in app.study(Asked("public.people", "id")).beyond
    ]
    assert "userscope protect public.items --through list_id" in [cure for _, cure in app.study(LISTS).beyond]


REFUSED = {
    "no owner": (Asked("public.lists"), "nothing says whose a row of public.lists is"),
    "no table": (Asked("public.nothing", "owner_id"), 'there is no table "public.nothing"'),
    "no name": (Asked("no such; name", "owner_id"), 'there is no table "no such; name"'),
    "no column": (Asked("public.lists", "owner"), 'public.lists has no column "owner"'),
    "no column to read only": (Asked("public.lists", "owner_id", read_only=["x"]), 'public.lists has no column "x"'),
    "a type": (Asked("public.lists", "created_at"), "is of type timestamp with time zone, and cannot name an owner"),
    "a view": (Asked("public.titles", "owner_id"), "public.titles is a view, and cannot be protected"),
    "a materialized view": (Asked("public.kept", "owner_id"), "is a materialized view, and cannot be protected"),
    "partitioned": (Asked("public.parts", "owner_id"), "public.parts is a partitioned table, and cannot be protected"),
    "a partition": (Asked("public.part", "owner_id"), "public.part is part of an inheritance, and cannot be protected"),
    "foreign": (Asked("public.far", "owner_id"), "public.far is a foreign table, and cannot be protected"),
    "a catalog": (Asked("pg_catalog.pg_class", "relname"), "pg_catalog.pg_class is no table of an application's"),
    "no foreign key": (Asked("public.notes", through=["body"]), "column body of public.notes refers to no table"),
    "an open parent": (
        Asked("public.items", through=["list_id"]),
        "public.lists is not protected, so nothing says whose",
    ),
    "a circle": (Asked("public.nodes", through=["parent_id"]), "leads through two tables named nodes"),
    "policies": (Asked("public.nodes", "id"), "public.nodes has policies already: everybody"),
    "a superuser for all": (
        Asked("public.lists", "owner_id", every_row=["postgres"]),
        "postgres cannot reach every row",
    ),
    "app_user for all": (Asked("public.lists", "owner_id", every_row=["app_user"]), "app_user cannot reach every row"),
}
STRANGE = """
create view public.titles as select * from public.lists;
create materialized view public.kept as select * from public.lists;
create table public.parts (owner_id uuid) partition by hash (owner_id);
create table public.part partition of public.parts for values with (modulus 1, remainder 0);
create foreign data wrapper wrapper; create server server foreign data wrapper wrapper;
create foreign table public.far (owner_id uuid) server server;
create table public.nodes (id uuid primary key, parent_id uuid references public.nodes);
create policy everybody on public.nodes for select using (true);
"""


def test_refused(database: Database) -> None:
    """What cannot be protected is refused with one sentence, and its cure."""
    app = application(database)
    with database.connect() as owner:
        owner.execute(STRANGE.encode())
    for asked, words in REFUSED.values():
        if asked.table == "public.nodes" and asked.through:
            with database.connect() as owner:
                owner.execute("drop policy everybody on public.nodes")
        with pytest.raises(ConfigurationError) as raised:
            app.study(asked)
        assert words in raised.value.message
        assert raised.value.hint
        if asked.table == "public.nodes" and asked.through:
            with database.connect() as owner:
                owner.execute("create policy everybody on public.nodes for select using (true)")


def test_roles_and_odd_names(database: Database) -> None:
    """Roles of one's own reach every row; names are quoted; what owners may only read they cannot write."""
    app = application(database)
    with database.connect() as owner:
        owner.execute('create schema "Old Shop"; create table "Old Shop"."Ördér $$" (like public.lists including all)')
    asked = Asked('"Old Shop"."Ördér $$"', "owner_id", read_only=["title"], every_row=["app_auth", "app_support team"])
    (protection,) = app.protect(asked)
    assert protection.change == "old_shop_rd_r"
    with app.acting_as(app.alice) as service:
        insert = 'insert into "Old Shop"."Ördér $$" (owner_id) values (%s)'
        refused(
            service, "denied", insert.replace("(owner_id)", "(owner_id, title)").replace("%s", "%s, 'x'"), app.alice
        )
    with database.superuser_connection() as superuser:
        superuser.execute('insert into "Old Shop"."Ördér $$" (owner_id, title) values (%s, %s)', [app.bob, "bob's"])
        superuser.execute('set role "app_support team"')
        assert superuser.execute('update "Old Shop"."Ördér $$" set title = title').rowcount == 1
    levels = {finding.level for finding in audit(database.url()).findings if "Old Shop" in finding.object}
    assert levels == {"warning"}
    found = app.study(dataclasses.replace(asked, owner=None))
    assert found.protected
    assert found.protection.every_row == ["app_auth", "app_support team"]
    assert found.protection.read_only == ["title"]
