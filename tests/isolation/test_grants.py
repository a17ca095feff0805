"""Who may do what, as effect: every privilege that app_user, app_auth or anyone has, and nothing beyond."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.isolation.world import TABLES, World

MATRIX = re.findall(
    r"^\| (app_\w+) \| app\.(\w+) \| ([A-Z]+) \| (.+) \| (.+) \|$",
    Path(__file__).parents[2].joinpath("docs", "database-models.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)
"""What docs/database-models.md says: role, table, command, which rows and columns."""
SUFFIXES = {"app_auth": "auth", "app_roster": "roster"}
"""How a role's policies end, where these are not about one's own."""
NEVER_WHOLE = {"SELECT", "INSERT", "UPDATE", "REFERENCES"}
"""Privileges of columns: of a whole table they would open the system columns too."""
FUNCTIONS = {
    ("app_user", "app.set_user_id(text,text)"),
    ("app_user", "app.current_user_key()"),
    ("app_gate", "app.current_user_key()"),
    ("app_user", "app.current_user_id()"),
    ("app_gate", "app.current_user_id()"),
    ("app_user", "app.set_organization_id(text)"),
    ("app_user", "app.current_organization_id(text[])"),
    ("app_user", "app.colleagues()"),
    ("app_user", "app.my_invitations()"),
    ("app_roster", "app.current_user_key()"),
    ("app_roster", "app.current_user_id()"),
    ("app_roster", "app.current_organization_id(text[])"),
    ("app_user", "app.seal_required()"),
    ("app_auth", "app.seal_required()"),
}
ROLES = "(values ('app_user'), ('app_auth'), ('app_gate'), ('app_roster'), ('public')) as roles (role)"
SCHEMAS = "('app'::regnamespace, 'app_fenced'::regnamespace, 'app_private'::regnamespace)"


def rows(world: World, query: str) -> set[tuple[Any, ...]]:
    found = world.admin.execute(query).fetchall()
    return {tuple(tuple(cell) if isinstance(cell, list) else cell for cell in row) for row in found}


def columns(world: World, table: str, words: str) -> set[str]:
    """The columns that the page's words mean."""
    found = (
        f"select attname from pg_attribute where attrelid = 'app.{table}'::regclass and attnum > 0 and not attisdropped"
    )
    every = {name for (name,) in rows(world, found)}
    closed = words.removeprefix("all").removeprefix(" but ")
    named = set(closed.split(", ")) - {""}
    assert named <= every
    return every - named if words.startswith("all") else named


def test_columns(world: World) -> None:
    """Reading and writing are granted column by column, with what a role has by other roles counted in."""
    found: dict[tuple[str, ...], set[str]] = {}
    for role, table, privilege, column in rows(
        world,
        f"""
        select role, relname, privilege, attname
          from {ROLES}, unnest(array{sorted(NEVER_WHOLE)}) as privilege,
               pg_class join pg_attribute on attrelid = pg_class.oid
         where relnamespace in {SCHEMAS}
           and relkind in ('r', 'p', 'v', 'm', 'f') and pg_get_userbyid(relowner) <> role
           and has_column_privilege(role, attrelid, attnum, privilege) and not attisdropped
        """,
    ):
        found.setdefault((role, table, privilege), set()).add(column)
    assert found == {
        (role, table, command): columns(world, table, words)
        for role, table, command, _, words in MATRIX
        if command in NEVER_WHOLE
    }  # no system column among them: ctid and xmin stay closed


def test_whole_tables(world: World) -> None:
    """A whole table is granted for DELETE at most; nobody truncates, references or puts triggers on one."""
    assert rows(
        world,
        f"""
        select role, relname, privilege
          from {ROLES}, pg_class,
               unnest(string_to_array('SELECT INSERT UPDATE DELETE TRUNCATE REFERENCES TRIGGER', ' ')) as privilege
         where relnamespace in {SCHEMAS} and relkind in ('r', 'p', 'v', 'm', 'f')
           and pg_get_userbyid(relowner) <> role and has_table_privilege(role, pg_class.oid, privilege)
        """,
    ) == {(role, table, command) for role, table, command, _, words in MATRIX if words == "the row"}


def test_matrix() -> None:
    """The page tells of every command, and of DELETE alone that it is granted whole."""
    assert len(MATRIX) == 46
    assert {command for _, _, command, _, words in MATRIX if words == "the row"} == {"DELETE"}


def test_functions(world: World) -> None:
    """Services set an identity and ask for it; nobody else runs anything of ours, and no function makes a seal."""
    assert (
        rows(
            world,
            f"""
            select role, p.oid::regprocedure::text from {ROLES}, pg_proc as p
             where pronamespace in {SCHEMAS} and pg_get_userbyid(proowner) <> role
               and has_function_privilege(role, p.oid, 'execute')
            """,
        )
        == FUNCTIONS
    )


def test_schemas_and_database(world: World) -> None:
    """Schema app may be entered and nothing made there; the others are closed; nobody makes temporary objects."""
    assert rows(
        world,
        f"""
        select role, nspname, privilege from {ROLES}, pg_namespace, unnest(array['USAGE', 'CREATE']) as privilege
         where pg_namespace.oid in {SCHEMAS} and has_schema_privilege(role, pg_namespace.oid, privilege)
        """,
    ) == {
        ("app_user", "app", "USAGE"),
        ("app_auth", "app", "USAGE"),
        ("app_gate", "app", "USAGE"),
        ("app_roster", "app", "USAGE"),
        ("app_gate", "app_fenced", "USAGE"),
    }
    assert (
        rows(
            world,
            f"select role, privilege from {ROLES}, unnest(array['CREATE', 'TEMPORARY']) as privilege "
            "where has_database_privilege(role, current_database(), privilege)",
        )
        == set()
    )
    assert rows(world, "select has_database_privilege('app_user', current_database(), 'CONNECT')") == {(True,)}


def test_roles(world: World) -> None:
    """None of the roles logs in, bypasses row security, or is a member of anything."""
    assert rows(
        world,
        "select rolname, rolcanlogin or rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication "
        "from pg_roles where rolname in ('app_user', 'app_auth', 'app_gate', 'app_roster')",
    ) == {("app_user", False), ("app_auth", False), ("app_gate", False), ("app_roster", False)}
    assert (
        rows(
            world,
            "select m.rolname, r.rolname from pg_roles as m, pg_roles as r "
            "where m.rolname in ('app_user', 'app_auth', 'app_gate', 'app_roster') "
            "and m.oid <> r.oid and pg_has_role(m.oid, r.oid, 'member')",
        )
        == set()
    )


@pytest.mark.parametrize("login", ["service", "auth"])
def test_logins(world: World, login: str) -> None:
    """The logins that the suite acts through are what services have: no more than a membership."""
    connection = getattr(world, login)
    row = connection.execute(
        "select rolsuper, rolbypassrls, pg_has_role('app_user', 'member'), pg_has_role('app_auth', 'member'), "
        "pg_has_role('app_gate', 'member'), row_security_active('app.todos') "
        "from pg_roles where rolname = current_user"
    ).fetchone()
    assert row == (False, False, login == "service", login == "auth", False, True)


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_closed(world: World, table: str) -> None:
    """Row security is enabled and forced, and the owner is not a role that services can become."""
    assert rows(
        world,
        f"select relrowsecurity, relforcerowsecurity, "
        f"exists (select from unnest(array['app_user', 'app_auth', 'app_gate', 'app_roster']) as role "
        f"where pg_has_role(role, relowner, 'member')) "
        f"from pg_class where oid = 'app.{table}'::regclass",
    ) == {(True, True, False)}


def test_policies(world: World) -> None:
    """Each policy is permissive, for one command and one role: a grant that is added later opens nothing by itself."""
    found = rows(
        world,
        "select relname, polname, polcmd::text, polpermissive, polroles::regrole[]::text[] "
        "from pg_policy join pg_class on pg_class.oid = polrelid where relnamespace = 'app'::regnamespace",
    )
    letters = {"SELECT": "r", "INSERT": "a", "UPDATE": "w", "DELETE": "d"}
    expected = {
        (table, f"{command.lower()}_{SUFFIXES.get(role, 'own')}", letters[command], True, (role,))
        for role, table, command, which, _ in MATRIX
        if which != "`what app_gate sees`"
    }
    assert found == expected


def test_nothing_else_stands_in_the_schemas(world: World) -> None:
    """No sequence, foreign table, further view or table stands beside ours: each would need rules of its own."""
    others = "select relname from pg_class where relnamespace = 'app'::regnamespace and relkind not in ('i', 'r')"
    assert rows(world, others) == {("account",), ("organization",), ("memberships",)}
    assert rows(world, "select relname from pg_class where relnamespace = 'app_fenced'::regnamespace") == set()
    assert rows(world, "select relname from pg_class where relnamespace = 'app'::regnamespace and relkind = 'r'") == {
        (table,) for table in TABLES
    }
    assert rows(
        world, "select relname from pg_class where relnamespace = 'app_private'::regnamespace and relkind <> 'i'"
    ) == {
        ("seal_keys",),
        ("sealing",),
    }


def test_no_statistics_on_what_services_read(world: World) -> None:
    """EXPLAIN reads statistics of hidden rows: no column that a user may see has any, also after ANALYZE."""
    world.admin.execute("analyze app.users, app.todos, app.organizations, app.members, app.invitations")
    assert (
        rows(
            world,
            "select attrelid::regclass::text, attname from pg_attribute join pg_class on pg_class.oid = attrelid "
            "where relnamespace = 'app'::regnamespace and attnum > 0 "
            "and relkind = 'r' and (has_column_privilege('app_user', attrelid, attnum, 'select') "
            "or has_column_privilege('app_gate', attrelid, attnum, 'select')) and (attstattarget is distinct from 0 "
            "or exists (select from pg_statistic where starelid = attrelid and staattnum = attnum))",
        )
        == set()
    )


def test_private_functions(world: World) -> None:
    """They act as whoever calls them, but the one that reads keys, read names one way, and are the owner's to call.

    Those that write nothing promise it: nothing is planned for each row.
    """
    found = world.admin.execute(
        "select proname, prosecdef, provolatile, has_function_privilege('public', oid, 'execute'), proconfig "
        "from pg_proc where pronamespace = 'app_private'::regnamespace"
    ).fetchall()
    assert {name for name, definer, *_ in found if definer} == {"verified_user_key"}
    writing = {"admit_owner", "become", "decide_sealing"}
    assert {name for name, *_ in found} > writing
    assert [row for row in found if row[2] != ("v" if row[0] in writing else "s")] == []
    assert [row for row in found if row[3:] != (False, ["search_path=pg_catalog, pg_temp"])] == []
