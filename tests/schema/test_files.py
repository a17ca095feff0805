"""The two Sqitch projects as files: whole, in the plan's words, and explained in the catalog."""

import re

import pytest

from tests.clusters import CHANGES, ROOT, Database, changes


def plan_line(project: str, change: str) -> str:
    lines = (ROOT / project / "sqitch.plan").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if line.split(" ")[0] == change]
    return line


@pytest.mark.parametrize("project", ["schema", "policies"])
def test_every_change_has_its_files(project: str) -> None:
    """A change is a line of the plan with a deploy, a revert and a verify script; nothing else lies there."""
    for kind in ("deploy", "revert", "verify"):
        assert {path.stem for path in (ROOT / project / kind).glob("*")} == set(changes(project))


@pytest.mark.parametrize(("project", "change"), CHANGES)
def test_headers_repeat_the_plan(project: str, change: str) -> None:
    """A script begins with what it is, and a deploy script names what the plan requires."""
    for kind, words in (("deploy", "to pg"), ("revert", "from pg"), ("verify", "on pg")):
        text = (ROOT / project / kind / f"{change}.sql").read_text(encoding="utf-8")
        assert text.startswith(f"-- {kind.capitalize()} {project}:{change} {words}\n")
        assert re.search(r"^begin;$", text, re.MULTILINE)
        assert text.rstrip().endswith("rollback;" if kind == "verify" else "commit;")
    deploy = (ROOT / project / "deploy" / f"{change}.sql").read_text(encoding="utf-8")
    requires = re.search(r"\[(.*?)\]", plan_line(project, change))
    assert re.findall(r"^-- requires: (.*)$", deploy, re.MULTILINE) == (requires[1].split() if requires else [])


@pytest.mark.parametrize(("project", "change"), CHANGES)
def test_schema_closes_and_policies_open(project: str, change: str) -> None:
    """What exists is made in schema/ and opened to nobody there; policies/ makes policies and grants, nothing else."""
    text = (ROOT / project / "deploy" / f"{change}.sql").read_text(encoding="utf-8")
    code = re.sub(r"--.*|'(?:[^']|'')*'", "", text)
    verbs = set(re.findall(r"^(\w+(?: \w+)?)", code, re.MULTILINE))
    if project == "schema":
        # What lets app_gate take over what it owns is granted for as long as that takes.
        assert {verb for verb in verbs if verb.startswith("grant") or verb == "create policy"} <= {"grant create"}
        taken = re.findall(r"^grant create on schema (.*) to (app_gate|app_roster);$", code, re.MULTILINE)
        assert taken == re.findall(r"^revoke create on schema (.*) from (app_gate|app_roster);$", code, re.MULTILINE)
        assert bool(taken) == ("grant create" in verbs)
        tables = set(re.findall(r"^create table (app(?:_fenced)?\.\w+)", code, re.MULTILINE))
        forced = re.findall(
            r"^alter table (app(?:_fenced)?\.\w+) enable row level security, force row level security;",
            code,
            re.MULTILINE,
        )
        assert set(forced) == tables
    else:
        assert verbs <= {
            "begin",
            "create policy",
            "comment on",
            "grant select",
            "grant usage",
            "grant execute",
            "set local",
            "reset role",
            "select app_private",
            "commit",
        }
        assert set(re.findall(r"^set .*", code, re.MULTILINE)) <= {
            "set local role app_gate;",
            "set local role app_roster;",
            "set local citus.enable_ddl_propagation = off;",
        }
        # A table's owner is let in where its first policies are; a later change may write more of them.
        tables = set(re.findall(r"^create policy \w+ on (app\.\w+)", code, re.MULTILINE))
        assert set(re.findall(r"^select app_private\.admit_owner\('(.*)'\);$", text, re.MULTILINE)) == (
            tables - {"app.users"} if change == "organizations" else tables
        )


def test_every_table_has_its_policies(database: Database) -> None:
    """Each table has a change of policies/, and each role a policy for each command that it is granted."""
    with database.superuser_connection() as connection:
        found = connection.execute(
            "select relname from pg_class where relnamespace = 'app'::regnamespace and relkind = 'r'"
        )
        tables = {row[0] for row in found}
        granted = connection.execute(
            "select relname, role, command from pg_class, "
            "unnest(array['app_user', 'app_auth', 'app_gate', 'app_roster']) as role, "
            "(values ('r', 'SELECT'), ('a', 'INSERT'), ('w', 'UPDATE'), ('d', 'DELETE')) "
            "as commands (command, privilege) "
            "where relnamespace = 'app'::regnamespace and relkind = 'r' and case privilege when 'DELETE' "
            "then has_table_privilege(role, pg_class.oid, privilege) "
            "else has_any_column_privilege(role, pg_class.oid, privilege) end"
        ).fetchall()
        policies = connection.execute(
            "select relname, rolname, polcmd::text from pg_policy join pg_class on pg_class.oid = polrelid, "
            "unnest(polroles) as role join pg_roles on pg_roles.oid = role"
        ).fetchall()
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "policies" / "deploy").glob("*.sql"))
    assert {table for table in tables if f"on app.{table}" in text} == tables
    assert len(policies) == len(set(policies))
    assert set(policies) == set(granted)


def test_everything_is_explained(database: Database) -> None:
    """Each schema, table, constraint, index, function, policy and trigger has a comment: a sentence, with its stop."""
    with database.superuser_connection() as connection:
        found = connection.execute(
            """
            with ours as (select oid from pg_namespace where nspname in ('app', 'app_fenced', 'app_private')),
            tables as (select oid from pg_class where relnamespace in (select oid from ours) and relkind in ('r', 'v')),
            objects as (
                select 'pg_namespace'::regclass as class, oid, nspname::text as name
                  from pg_namespace where oid in (select oid from ours)
                union all select 'pg_class', oid, relname from pg_class where oid in (select oid from tables)
                union all select 'pg_class', oid, relname from pg_class
                           where relnamespace in (select oid from ours) and relkind = 'i'
                             and not exists (select from pg_constraint where conindid = pg_class.oid)
                union all select 'pg_constraint', oid, conname from pg_constraint
                           where conrelid in (select oid from tables) and contype in ('c', 'f', 'p', 'u', 'x')
                union all select 'pg_proc', oid, proname from pg_proc where pronamespace in (select oid from ours)
                union all select 'pg_policy', oid, polname from pg_policy where polrelid in (select oid from tables)
                union all select 'pg_trigger', oid, tgname from pg_trigger
                           where tgrelid in (select oid from tables) and not tgisinternal
            )
            select class::text, name, obj_description(oid, class::text) from objects
            """
        ).fetchall()
    assert len(found) > 40
    assert [(kind, name) for kind, name, comment in found if not (comment or "").endswith(".")] == []
