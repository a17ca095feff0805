"""The audit judges policies that nobody here wrote: holes are found for their reason, and what is right is let be."""

import re
import time
from itertools import batched
from pathlib import Path

import pytest

from tests.clusters import ROOT, Connection, Database
from userscope.audit.judge import PROFILES, RULES, judged
from userscope.audit.model import Finding
from userscope.audit.rules import described
from userscope.audit.run import audit
from userscope.cli.audit import Platform
from userscope.errors import AuditError

HERE = Path(__file__).parent


def shapes(name: str, folder: str = "shapes") -> list[tuple[str, str]]:
    """Read ``-- title`` lines, each followed by its SQL, of the files whose names begin so."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((HERE / folder).glob(f"{name}*.sql")))
    return list(batched(re.split(r"^-- (.+)\n", text, flags=re.MULTILINE)[1:], 2, strict=True))


RIGHT, HOLES, WARNINGS = shapes("right"), shapes("holes"), shapes("warnings")


def found(connection: Connection, sql: str, profile: str | None = "supabase") -> list[Finding]:
    """What is said of some SQL, made as the project's owner."""
    connection.execute(sql.encode())
    connection.execute("reset role; set local search_path = pg_catalog, pg_temp")
    return judged(connection, profile).findings


def test_prelude(project: Connection) -> None:
    """What the shapes stand on gives no reason."""
    assert found(project, "select") == []


@pytest.mark.parametrize("sql", [sql for _, sql in RIGHT], ids=[title for title, _ in RIGHT])
def test_right(project: Connection, sql: str) -> None:
    """What is right is read, and accused of nothing."""
    told = found(project, sql)
    assert [one for one in told if one.level == "error" or one.rule in ("policy_unreadable", "policy_function")] == []


@pytest.mark.parametrize(
    ("level", "title", "sql"),
    [("error", *shape) for shape in HOLES] + [("warning", *shape) for shape in WARNINGS],
    ids=[title for title, _ in HOLES + WARNINGS],
)
def test_hole(project: Connection, level: str, title: str, sql: str) -> None:
    """A hole is an error, or a warning, of its own rule, with a sentence and a cure, of the policy that it is in."""
    rule, thing, _ = title.split(" | ")
    told = [one for one in found(project, sql) if one.level == level]
    assert (rule, thing) in {(one.rule, one.object) for one in told}
    assert all(all((one.finding, one.detail, one.cure)) for one in told)


def test_every_rule_has_a_hole() -> None:
    """No rule goes without a shape that it finds; functions that cannot be read have a test of their own."""
    assert {title.partition(" | ")[0] for title, _ in HOLES + WARNINGS} == {*RULES} - {"policy_function"}


def test_documented() -> None:
    """Every rule has its section: what, why, a proof of two lines and a cure."""
    page = (ROOT / "docs" / "audit-rules.md").read_text(encoding="utf-8")
    _, *sections = re.split(r"^### ", page, flags=re.MULTILINE)
    assert [section.partition("\n")[0].strip("`") for section in sections] == list(RULES)
    for section in sections:
        assert re.search(r"\nWhat: [^`]*?.+ Why:\s.+\n```sql\n.+\n.+\n```\nCure: .+\n", section, re.DOTALL), section[
            :30
        ]
    assert set(RULES) <= set(described())


def test_profiles() -> None:
    """What --profile takes is what there is."""
    assert {platform.value for platform in Platform} == set(PROFILES)


@pytest.mark.parametrize("profile", ["supabase", "neon", "postgrest", None])
def test_profiles_agree(project: Connection, profile: str | None) -> None:
    """Helpers that a profile does not know are read like any others: one equality is tied, and none is open."""
    one = "create policy r on lib.loans for select to authenticated using (reader_id = (select auth.uid()))"
    assert [told for told in found(project, one, profile) if told.level == "error"] == []
    project.execute("alter policy r on lib.loans using (auth.uid() = any (array[auth.uid()]))")
    assert ("policy_open", "policy r on lib.loans") in {
        (told.rule, told.object) for told in found(project, "select", profile) if told.level == "error"
    }


def test_believed_function(project: Connection) -> None:
    """A function that cannot be read is named once for all that believe it, by its body; accepted, it is not."""
    made = """
        create function lib.odd(house uuid) returns boolean language plpgsql stable as $$
        begin for i in 1..2 loop return house is not null; end loop; end $$;
        create policy r on lib.loans for select using (lib.odd(house_id));
        create policy s on lib.fines for select using (lib.odd(loan_id));
    """
    (one,) = found(project, made)
    assert (one.level, one.rule) == ("warning", "policy_function")
    assert re.fullmatch(r"function lib\.odd\(uuid\) as of [0-9a-f]{8}", one.object)
    assert "policy r on lib.loans" in one.detail
    assert "policy s on lib.fines" in one.detail
    (other,) = found(project, "create or replace function lib.odd(house uuid) returns boolean language plpgsql stable "
                              "as $$ begin for i in 1..3 loop return true; end loop; end $$")  # fmt: skip
    assert other.object != one.object
    project.execute("select set_config('userscope.audit_definer_functions', 'lib.odd(house uuid)', true)")
    assert found(project, "select") == []


def test_empty(bare: Database) -> None:
    """A database without anything gives no reason, whatever the platform."""
    with bare.superuser_connection() as connection, connection.transaction(force_rollback=True):
        for profile in (None, *PROFILES):
            assert found(connection, "select", profile) == []


@pytest.mark.breadth
def test_scale(project: Connection) -> None:
    """Ten times as many tables are judged in some ten times the work, not a hundred; the one bad policy is found."""
    made = """
        do $do$ begin for n in {first}..{last} loop
            execute format('create table lib.t%s
                (id uuid primary key, reader_id uuid not null references lib.readers, title text)', n);
            execute replace('alter table lib.T enable row level security;
                create policy s on lib.T for select to authenticated using (reader_id = (select auth.uid()));
                create policy i on lib.T for insert to authenticated with check (reader_id = (select auth.uid()));
                create policy u on lib.T for update to authenticated
                    using (reader_id in (select c.reader_id from lib.cards c where c.reader_id = auth.uid()));
                create policy d on lib.T for delete to authenticated using (reader_id = (select auth.uid()));
                grant select, insert, update, delete on lib.T to authenticated', 'lib.T', 'lib.t' || n);
        end loop; end $do$;
        alter policy d on lib.t{last} using (true);
    """

    def work(first: int, last: int) -> float:
        with project.transaction(force_rollback=True):
            started = time.process_time()
            errors = [one.object for one in found(project, made.format(first=first, last=last)) if one.level == "error"]
            assert errors == [f"policy d on lib.t{last}"]
            return time.process_time() - started

    work(1, 4)  # what is read once is read by now
    assert work(1, 400) < 30 * work(1, 40)


def test_our_own_shape(database: Database) -> None:
    """What psql's strict question finds, the command tells as well: a policy of app_gate's, which no service has."""
    with database.superuser_connection() as connection:
        connection.execute("alter policy select_own on app.users using (true)")
        connection.execute("alter policy select_own on app.todos using (true)")
    told = [one for one in audit(database.url()).findings if one.level == "error"]
    assert [(one.rule, one.object) for one in told] == [
        ("policy_open", "policy select_own on app.todos"),
        ("policy_open", "policy select_own on app.users"),
    ]


def test_nothing(empty: Database) -> None:
    """A database without a table, such as the wrong one, is no database in which nothing was found."""
    with empty.superuser_connection() as connection:
        connection.execute("create schema sqitch create table changes (change_id text)")
        with pytest.raises(AuditError, match="there is nothing to audit"):
            audit(empty.url())
        connection.execute("create table public.notes (id int)")
    assert audit(empty.url(), profile="userscope").matrix == []
