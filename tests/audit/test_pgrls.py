"""A judge that is not ours: pgrls lints the deployed database and proves isolation, strictly, in all its modes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clusters import Database, first_of

CONFIG = """
[database]
schemas = ["app"]
[lint.rules.SEC021]
identity_columns = ["owner_id", "id"]
[lint.rules.SEC004]
auth_functions = ["app.current_user_id", "app.current_user_key"]
[lint.rules.SEC018]
auth_functions = ["app.current_user_id", "app.current_user_key"]
"""
_OPEN = (
    "alter policy update_own on app.todos using (true) with check (true); "
    "alter policy select_own on app.todos using (true)"
)
# Each mode, and a defect that it has to find.
MODES = {
    "anon": f"{_OPEN}; alter policy select_own on app.todos to public",
    "cross-tenant": _OPEN,
    "write": _OPEN,
    "escalation": "create function app.titles() returns setof text language sql security definer "
    "as 'select title from app.todos'",
    "reachability": "create view app.everything as select * from app.todos; grant select on app.everything to public",
}
# What is told of something that is meant, and why it is.
IGNORED = {
    "SEC005": (
        r"app\.\w+\.\w+_(auth|roster)",
        "the identity provider's policies name no column: it manages every account",
    ),
    "SEC008": (r"app\.\w+\.(select|update|delete)_(auth|roster)", "the identity provider manages every account"),
    "SEC028": (r"app\.\w+\.(insert|update)_(auth|roster)", "the identity provider writes every account"),
    "SEC038": (r"app\.\w+\.select_(auth|roster)", "neither is a session without a user"),
    "SEC013": (r"app\.(todos|users)\.touch|app\.members\.members_owner", "one sets updated_at, one keeps an owner"),
    "VIEW001": (r"app\.(account|organization|memberships)", "app_gate owns the view, and the table's policies bind it"),
    "SEC014": (
        r"app\.(current_user_key|seal_required|current_organization_id|colleagues|my_invitations)",
        "they read what nobody is granted, and answer for one user",
    ),
}
# Roles belong to the whole server: another test's owner, who is meant to be above policies, may be there or not.
ELSEWHERE = {"SEC016": r"owner_\w+|strong\w*"}


def pgrls(database: Database, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    config = folder / "pgrls.toml"
    config.write_text(CONFIG, encoding="utf-8")
    return subprocess.run(
        [Path(sys.executable).with_name("pgrls"), *arguments, "--config", config, "--format", "json",
         "--database-url", database.url().conninfo()],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def lint(database: Database, folder: Path) -> set[tuple[str, str]]:
    """Every warning and error, as (rule, location)."""
    done = pgrls(database, folder, "lint")
    told = json.loads(done.stdout)
    found = told if isinstance(told, list) else told["violations"]
    return {(item["rule_id"], item["location"]) for item in found if item["severity"] != "info"}


def beyond(found: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """What is neither ignored nor of another test."""
    patterns = {**{rule: pattern for rule, (pattern, _) in IGNORED.items()}, **ELSEWHERE}
    return {item for item in found if item[0] not in patterns or not re.fullmatch(patterns[item[0]], item[1])}


@pytest.mark.breadth
def test_lint(any_database: Database, tmp_path: Path) -> None:
    """Nothing is told but what is ignored with its reason; nothing is ignored that is not told; a defect is told."""
    found = lint(any_database, tmp_path)
    assert beyond(found) == set()
    assert {rule for rule, _ in found} >= set(IGNORED)
    with any_database.superuser_connection() as connection:
        connection.execute("alter policy select_own on app.todos using (true)")
    assert ("SEC008", "app.todos.select_own") in beyond(lint(any_database, tmp_path))


def unproven(database: Database, folder: Path, mode: str) -> set[str]:
    """What is not shown to be isolated: tables, or in modes that tell of none, whatever is wrong."""
    done = pgrls(
        database, folder, "verify", "--strict", "--mode", mode, "--schemas", "app", "--auth-function",
        "app.current_user_id",
    )  # fmt: skip
    told = json.loads(done.stdout).get("tables", [])
    found = {one["table"] for one in told if one["verdict"] != "isolated"}
    assert done.returncode == 0 or found or not told, done.stdout + done.stderr
    return found or ({"something"} if done.returncode else set())


# What is an organization's is shown by one's own memberships, which pgrls does not follow.
FOLLOWED = {"app.organizations", "app.members"}


@pytest.mark.breadth
@pytest.mark.parametrize("mode", first_of(*MODES))
def test_verify(database: Database, tmp_path: Path, mode: str) -> None:
    """Isolation is proven for every table; a table without a verdict fails, and so does a defect."""
    with database.superuser_connection() as connection:
        # The identity provider and what tells members of each other see every row by design: no proof is about them.
        for policy, table in connection.execute(
            "select polname, polrelid::regclass::text from pg_policy "
            "where polroles <@ array['app_auth'::regrole, 'app_roster'::regrole]::oid[]"
        ).fetchall():
            connection.execute(f"drop policy {policy} on {table}".encode())
        before = unproven(database, tmp_path, mode)
        assert before <= FOLLOWED
        connection.execute(MODES[mode].encode())
        assert unproven(database, tmp_path, mode) > before
