"""userscope mutate: it finds the holes of a test suite, all of them and no others, and leaves nothing behind."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clusters import ROOT, Cluster, Database, first_of, run_psql
from tests.mutation.running import OURS, SHOP, Mutate, start
from tests.mutation.shop import suite
from tests.processes import eventually
from userscope.mutation.mutants import Mutant, every
from userscope.mutation.report import Tally, progress
from userscope.mutation.selection import accepted

OUR_SUITE = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--confcutdir=tests/isolation", "tests/isolation"]
PLAIN = [str(SHOP / "suite.py")]


@pytest.mark.breadth
def test_a_sample_of_ours(mutate: Mutate, database: Database) -> None:
    """Our isolation suite notices a fixed sample of our own database's mutants; ``make mutate`` tries them all.

    Most of the time it takes is the suite's, which runs twice on the database as it is.
    """
    code, output, errors = mutate(database, "--json", "--sample", "12", "--seed", "7", "--", sys.executable, *OUR_SUITE)
    assert code == 0, output + errors
    result = json.loads(output)
    assert result == {"mutants": 12, "killed": 12, "survived": [], "accepted": [], "timed_out": [], "invalid": []}


@pytest.fixture
def shop(cluster: Cluster, tmp_path: Path) -> Iterator[Database]:
    """The shop's database; its suite finds in SHOP_CATALOG what its catalog should hold."""
    made = cluster.database()
    run_psql(made.url(), "-f", SHOP / "shop.sql")
    with made.superuser_connection() as connection:
        connection.execute(f"revoke temporary on database {made.name} from public")
        connection.execute("""alter role "shop clerk's login" password 'secret'""")
        lines = sorted(str(row[0]) for row in connection.execute(suite.CATALOG.encode()))
    (tmp_path / "catalog").write_text("\n".join(lines), encoding="utf-8")
    yield made
    made.drop()
    with cluster.superuser_connection() as connection:
        connection.execute("""drop role "shop clerk's login", "shop customer" """)


def shop_urls(shop: Database) -> dict[str, str]:
    url = shop.url("admin")
    service = type(url)("shop", {**url.params, "user": "shop clerk's login", "password": "secret"})
    return {"DATABASE_URL": service.text(), "AUTH_DATABASE_URL": service.text()}


@pytest.mark.breadth
def test_a_foreign_suite(mutate: Mutate, shop: Database, tmp_path: Path) -> None:
    """The shop's suite has two holes. Exactly their mutants survive, each told with its statements and a test idea."""
    more = {"SHOP_CATALOG": str(tmp_path / "catalog"), **shop_urls(shop)}
    code, output, errors = mutate(shop, "--json", "--accepted", os.devnull, "--", sys.executable, *PLAIN, **more)
    assert code == 1, errors
    result = json.loads(output)
    assert {told["mutant"] for told in result["survived"]} == {
        # Nobody gives a review away.
        'with check true: own_edit on "Shop".reviews',
        'with check or no identity: own_edit on "Shop".reviews',
        'with check or another column: own_edit on "Shop".reviews',
        # Nobody tries an amount that is not positive.
        'constraint dropped: orders_amount_check on "Shop".orders',
    }
    assert result["timed_out"] == result["invalid"] == result["accepted"] == []
    assert result["killed"] == result["mutants"] - len(result["survived"]) > 60
    assert all(told["ddl"] and told["promise"] and told["test"] for told in result["survived"])


@pytest.mark.breadth
def test_accepted(mutate: Mutate, shop: Database, tmp_path: Path) -> None:
    """A survivor on the list is no hole; a line without a reason, or of no mutant, is refused."""
    accepted = tmp_path / "accepted"
    only = ["--only", "orders_amount_check", "--accepted", str(accepted)]
    more = {"SHOP_CATALOG": str(tmp_path / "catalog"), **shop_urls(shop)}
    name = 'constraint dropped: orders_amount_check on "Shop".orders'
    accepted.write_text(f"# what may survive\n{name}  # amounts are checked by the till\n", encoding="utf-8")
    code, output, errors = mutate(shop, "--json", *only, "--", sys.executable, *PLAIN, **more)
    assert code == 0, errors
    assert [told["reason"] for told in json.loads(output)["accepted"]] == ["amounts are checked by the till"]
    for line, words in ((name, "line 1: no reason is given"), ("nonsense  # why", 'there is no mutant "nonsense"')):
        accepted.write_text(line, encoding="utf-8")
        code, _, errors = mutate(shop, *only, "--", "true", **more)
        assert (code, words in errors) == (2, True), errors


def test_the_text_names_a_hole(mutate: Mutate, database: Database) -> None:
    """What a command does not notice is told with its DDL, the promise it breaks and an idea for a test."""
    code, output, errors = mutate(database, "--only", "using true: select_own on app.todos", "--", "true")
    assert code == 1
    assert "survived: using true: select_own on app.todos" in errors
    assert output.splitlines()[:4] == [
        "SURVIVED  using true: select_own on app.todos",
        "    alter policy select_own on app.todos using (true);",
        "    breaks  a user reaches only their own rows",
        "    test    as one user, SELECT on app.todos, and compare: another's row must exist, untouched",
    ]
    assert output.splitlines()[-1] == "1 mutant: 0 killed, 1 survived"


@pytest.mark.breadth
def test_the_source_is_untouched(mutate: Mutate, database: Database) -> None:
    """Role attributes belong to a whole server: those of the source are as they were."""
    query = "select rolname, rolbypassrls from pg_roles where rolname !~ '^pg_' and not rolsuper order by 1"
    with database.superuser_connection() as connection:
        before = connection.execute(query).fetchall()
        code, output, _ = mutate(database, "--only", "bypasses row security", "--json", "--", "true")
        tried = {survivor["mutant"].partition(": ")[2] for survivor in json.loads(output)["survived"]}
        assert code == 1
        ours = {"app_user", "app_auth", "app_service", "app_accounts"}
        assert tried >= ours
        assert connection.execute(query).fetchall() == before
        assert not any(bypasses for name, bypasses in before if name in ours)


@pytest.mark.breadth
@pytest.mark.parametrize(
    ("arguments", "words"),
    first_of(
        (["--", "sh", "-c", "echo that went wrong; exit 3"], ["(exit code 3)", "that went wrong"]),
        (["--timeout", "1", "--", "sleep", "600"], ["no end within 1 seconds"]),
        (["--", "true && true"], ['"true && true" cannot be run', "sh -c 'true && true'"]),
        (["--only", "nonsense", "--", "true"], ['no mutant has a name like "nonsense"']),
        ([], ["no command was given"]),
    ),
)
def test_a_command_that_tells_nothing(
    mutate: Mutate, database: Database, arguments: list[str], words: list[str]
) -> None:
    """A command that does not pass on the database as it is, or cannot be run, is refused; nothing is judged by it."""
    code, output, errors = mutate(database, *arguments)
    assert (code, output) == (2, "")
    assert all(word in errors for word in words), errors
    assert "Traceback" not in errors


@pytest.mark.breadth
def test_a_hanging_mutant(mutate: Mutate, database: Database, tmp_path: Path) -> None:
    """A command that hangs on a mutant is ended, and that is no success."""
    hangs = tmp_path / "hangs.py"
    hangs.write_text(
        "import os, psycopg, time\n"
        "query = \"select relforcerowsecurity from pg_class where oid = 'app.todos'::regclass\"\n"
        "if psycopg.connect(os.environ['ADMIN_DATABASE_URL']).execute(query).fetchone() == (False,):\n"
        "    time.sleep(600)\n",
        encoding="utf-8",
    )
    only = ["--json", "--only", "not forced: app.todos"]
    code, output, errors = mutate(database, *only, "--", sys.executable, str(hangs))
    assert code == 1, errors
    assert [told["mutant"] for told in json.loads(output)["timed_out"]] == ["row security not forced: app.todos"]


@pytest.mark.breadth
def test_no_policies(mutate: Mutate, cluster: Cluster) -> None:
    """A database without policies has nothing to mutate."""
    empty = cluster.database()
    code, _, errors = mutate(empty, "--", "true")
    assert code == 2
    assert f'database "{empty.name}" has no policies' in errors
    empty.drop()


@pytest.mark.breadth
def test_a_source_that_may_only_be_looked_at(mutate: Mutate, database: Database) -> None:
    """Who may read the catalog and no table is told to connect as the owner."""
    urls = {"ADMIN_DATABASE_URL": database.url("service").text()}
    code, _, errors = mutate(database, "--", "true", **urls)
    assert code == 2
    assert "the schema cannot be read" in errors
    assert "Connect as the owner" in errors


def children_of(marker: str) -> list[str]:
    found = subprocess.run(["ps", "-eo", "pid,stat,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if marker in line and " Z" not in line and "mutate" not in line]


@pytest.mark.breadth
def test_children_are_ended(mutate: Mutate, database: Database) -> None:
    """What a command leaves behind ends with it."""
    code, _, _ = mutate(database, "--only", "volatile", "--", "sh", "-c", "sleep 601.25 & exit 0")
    assert code == 1
    assert children_of("sleep 601.25") == []


@pytest.mark.breadth
def test_interrupted(database: Database, tmp_path: Path) -> None:
    """Ctrl-C ends what runs and its processes, removes the copies, and tells what was tried until then."""
    runs = tmp_path / "runs"  # the unbroken copy and two mutants pass; what comes then hangs
    command = ["sh", "-c", f"echo >> {runs}; test $(wc -l < {runs}) -le 3 || sleep 602.5"]
    with start(database, "--jobs", "2", "--json", "-v", "--", *command) as process:
        try:
            eventually(lambda: len(children_of("sleep 602.5")) >= 2, patience=240)
            listing = ["ps", "-ww", "-o", "args=", "--ppid", f"{process.pid}"]
            servers = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
            copies = re.findall(r"\S+/userscope-\S+", servers)  # where each copy's server is
            assert len(set(copies)) == 2
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert children_of("sleep 602.5") == []
    assert not any(Path(copy).exists() for copy in copies)
    result = json.loads(output)
    assert 0 < result["mutants"] == len(result["survived"]) <= 2
    assert result["timed_out"] == result["killed_mutants"] == [], "what was interrupted is not judged"
    assert result["not_tried"] > 700


def test_what_is_told() -> None:
    """Accepted mutants are told together with their one reason, killed ones by name where that is asked."""
    mutants = [Mutant("using true", f"p{number} on app.todos", (), "", "") for number in range(4)]
    accepted = {mutant.id: "nobody could notice" for mutant in mutants[:2]}
    tally = Tally(accepted, total=5, verbose=True)
    for mutant in mutants:
        tally.verdicts[mutant] = "survived" if mutant.id in accepted else "killed"
    assert tally.text() == (
        "ACCEPTED  nobody could notice\n    using true: p0 on app.todos\n    using true: p1 on app.todos\n\n"
        "KILLED\n    using true: p2 on app.todos\n    using true: p3 on app.todos\n\n"
        "interrupted: 4 of 5 mutants were tried\n\n4 mutants: 2 killed, 0 survived, 2 accepted"
    )
    told = json.loads(tally.json())
    assert told["killed_mutants"] == [mutant.id for mutant in mutants[2:]]
    assert told["not_tried"] == 1
    quiet = Tally(accepted, total=4)
    quiet.verdicts |= tally.verdicts
    assert json.loads(quiet.json()).keys() == told.keys() - {"killed_mutants", "not_tried"}


def test_accepted_with_until(database: Database, tmp_path: Path) -> None:
    """A TOML file accepts by operator and target, in audit's format; what has expired or names nothing is told."""
    with database.superuser_connection() as connection:
        mutants = every(connection, [OURS])
    ours, notes = accepted(ROOT / "policies" / "accepted-mutants.toml", mutants)
    assert (len(ours), notes) == (2, []), "every entry of ours is of a mutant"
    file = tmp_path / "accepted.toml"
    head = "[[accepted]]\nreason = 'why'\nby = 'Ada'\nrule = 'using true'\nobject = "
    file.write_text(
        f"{head}'select_own on app.todos'\n{head}'update_own on app.todos'\nuntil = 2020-01-01\n"
        f"{head}'nothing'\n{head.replace('using true', 'using nonsense')}'select_own on app.todos'\n",
        encoding="utf-8",
    )
    found, notes = accepted(file, mutants)
    assert found == {"using true: select_own on app.todos": "why"}
    assert [note.finding for note in notes] == [
        "what is accepted of using true was so until 2020-01-01, and counts again",
        "what is accepted of using true is not found any more",
        'there is no rule "using nonsense" to accept something of',
    ]
    assert accepted(tmp_path / "none.toml", mutants) == ({}, [])


def test_progress_in_a_log(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody watches a bar, a line now and then says how far it is."""
    monkeypatch.setattr("userscope.mutation.report._EVERY", 0.0)
    mutants = [Mutant("using true", f"p{number} on app.todos", (), "", "") for number in range(2)]
    with progress(2, Tally({})) as report:
        for mutant in mutants:
            report(mutant, "killed")
    assert capsys.readouterr().err == "1 of 2 mutants tried\n2 of 2 mutants tried\n"
