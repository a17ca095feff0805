"""The tables of docs/sharing.md: lists of everybody, some of them shared with Alice, and others with others."""

from tests.clusters import ROOT, Connection, Database
from tests.docs import console
from tests.search.people import ALICE, BOB, CAROL, ZOE
from tests.search.worlds import Change
from userscope.generate.table import Table

_PAGE = (ROOT / "docs" / "sharing.md").read_text(encoding="utf-8")
_FILL = (
    "insert into app.lists (owner_id, id, name, created_at, updated_at) "
    "select owner_id, id, title, created_at, updated_at from app.todos",
    # Somebody's lists are shared, with whom depends on the world; nothing of it is Alice's business.
    f"insert into app.list_members (owner_id, list_id, member_id) select owner_id, id, "
    f"unnest(case when completed then array['{CAROL}', '{ZOE}']::uuid[] else array['{ZOE}', '{BOB}']::uuid[] end) "
    f"from app.todos where owner_id <> '{ALICE}'",
    # These are, and are alike in both worlds.
    *(
        statement
        for number, owner in enumerate((BOB, BOB, ZOE))
        for statement in (
            f"insert into app.lists (owner_id, id, name, created_at, updated_at) values ('{owner}', "
            f"'5a000000-0000-4000-8000-00000000000{number}', 'shared {number}', '2031-01-01', '2031-01-01')",
            f"insert into app.list_members (owner_id, list_id, member_id) values ('{owner}', "
            f"'5a000000-0000-4000-8000-00000000000{number}', '{ALICE}')",
        )
    ),
)
_WRITTEN = """
create or replace function app.{} language sql stable parallel unsafe security definer set search_path = pg_catalog, pg_temp as $$
    {} $$
"""


def add_lists(database: Database) -> None:
    """Deploy what the page says, as the owner would."""
    scripts = Table.of("lists", ["name:text:100"], "list", fenced=False).scripts("schema", "policies")
    page = {(kind, change): text for text, kind, change in console.scripts(_PAGE)}
    with database.connect() as owner:
        for project in ("schema", "policies"):
            owner.execute(scripts[project, "deploy"].encode())
        for project in ("schema", "policies"):
            owner.execute(page["deploy", f"{project}:sharing"].encode())


def fill(superuser: Connection) -> None:
    """Lists that differ as todos do."""
    for statement in _FILL:
        superuser.execute(statement.encode())


def _written(function: str, body: str) -> Change:
    def change(superuser: Connection) -> None:
        fill(superuser)
        superuser.execute(_WRITTEN.format(function, body).encode())

    return change


joined_in_order = _written(
    "shared_lists() returns setof app.lists",
    "select l.* from app.list_members as m join app.lists as l on l.owner_id = m.owner_id and l.id = m.list_id "
    "where m.member_id = (select app.current_user_id())",
)
"""What the page's function must not do; it must be found."""
