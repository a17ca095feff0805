"""userscope probe as a command: a copy is filled, the database itself is not touched, and refusals say what to do."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.runner import Done, Runner
from tests.clusters import Cluster, Database, run_psql

HOLE = """
create table public.scores (user_id uuid primary key references auth.users, points int);
alter table public.scores enable row level security;
create policy everybody on public.scores for select to authenticated using (true);
grant select on public.scores to authenticated;
"""

type Run = Callable[..., Done]


@pytest.fixture
def database(platform: Cluster) -> Iterator[Database]:
    """The platform, with something to be asked about."""
    made = platform.clone("platform", owner="shape_owner")
    with made.superuser_connection() as connection:
        connection.execute(f"set role shape_owner; {HOLE}".encode())
    yield made
    made.drop()


@pytest.fixture
def command(platform: Cluster, database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs the command on it."""
    url = platform.url("admin", dbname=database.name).text()
    return lambda *words, code=0: Runner(tmp_path, capfd, ADMIN_DATABASE_URL=url)("probe", *words, code=code)


def rows(database: Database) -> int:
    """How many users there are."""
    with database.superuser_connection() as connection:
        return connection.execute("select from auth.users").rowcount


@pytest.mark.breadth
def test_question(command: Run, database: Database, tmp_path: Path) -> None:
    """A question is answered once, with a reason; when the policy changes it is asked anew. The source stays empty."""
    (asked,) = json.loads(command("--json", "--fail-on", "question", code=1).stdout)["findings"]
    assert (asked["id"], asked["level"]) == ("read_by_all:public.scores", "question")
    assert asked["proof"][-1].startswith("select * from public.scores where user_id = 'b0b00000")
    answers = tmp_path / "probe.toml"
    entry = '[[accepted]]\nrule = "{rule}"\nobject = "{object}"\nfinding = "{basis}"\nreason = "a game"\nby = "Ada"\n'
    answers.write_text(entry.format(**asked), encoding="utf-8")
    arguments = ["--here", "--fail-on", "question", "--accept", str(answers)]
    told = command(*arguments).stdout
    assert "accepted  public.scores: Alice (authenticated) is shown everybody's rows" in told
    assert "nothing found: tried as anon, authenticated; 3 of 3 tables filled, 2 of 2 policies met" in told
    with database.superuser_connection() as connection:
        connection.execute("alter policy everybody on public.scores rename to all_of_us")
    assert "QUESTION  public.scores" in command(*arguments, code=1).stdout
    assert rows(database) == 0


@pytest.mark.breadth
def test_matrix(command: Run) -> None:
    """Who sees whose rows, a line for each."""
    assert command("--here", "--matrix").stdout.splitlines() == [
        "public.diaries  Alice (authenticated)                          own rows",
        "public.diaries  a session without an identity (authenticated)  nothing",
        "public.diaries  a token without a subject (authenticated)      nothing",
        "public.scores   Alice (authenticated)                          everybody's rows",
        "public.scores   a session without an identity (authenticated)  everybody's rows",
        "public.scores   a token without a subject (authenticated)      everybody's rows",
    ]


@pytest.mark.breadth
def test_identity(command: Run) -> None:
    """A setting that was given a text holds it, JSON too, with what stands for somebody filled in."""
    told = command("--here", "--matrix", "--identity", 'request.jwt.claims={"sub": "{uuid}"}').stdout
    assert re.search(r"^public\.diaries +Alice \(authenticated\) +own rows$", told, re.MULTILINE)
    told = command("--here", "--matrix", "--identity", "request.jwt.claims={}").stdout
    assert re.search(r"^public\.diaries +Alice \(authenticated\) +nothing$", told, re.MULTILINE)


def test_here(command: Run, database: Database) -> None:
    """In the database itself only where it holds no row, or where that is said twice; what is put in is taken out."""
    with database.superuser_connection() as connection:
        connection.execute("create materialized view public.emails as select email from auth.users")
    told = command("--here").stdout
    assert "QUESTION  public.scores" in told
    assert rows(database) == 0
    with database.superuser_connection() as connection:
        assert connection.execute("table public.emails").fetchall() == []
        connection.execute("insert into auth.users (email) values ('somebody@example.com')")
    refused = command("--here", code=2).stderr
    assert f'database "{database.name}" holds rows: auth.users does' in refused
    assert "say --here --here" in refused
    assert command("--here", "--here").stdout == told
    assert rows(database) == 1


def test_here_by_a_plain_login(
    platform: Cluster, database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Who may not act as others is told what to do."""
    with platform.superuser_connection() as connection:
        connection.execute("create role shape_plain login password 'p' in role shape_owner")
    try:
        url = platform.url("admin", dbname=database.name)
        plain = type(url)("x", {**url.params, "user": "shape_plain", "password": "p"})
        refused = Runner(tmp_path, capfd, ADMIN_DATABASE_URL=plain.text())("probe", "--here", code=2).stderr
        assert "this login may not set session_replication_role" in refused
        assert rows(database) == 0
    finally:
        with platform.superuser_connection() as connection:
            connection.execute("drop role shape_plain")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--as", "nobody_knows"], '"nobody_knows" is no role that can be acted as'),
        (["--identity", "app.tenant"], '--identity "app.tenant" says nothing'),
        (["--accept", "none.toml"], 'cannot read "none.toml"'),
        (["--seed", "none.sql"], '"none.sql" cannot be run'),
        (["--matrix", "--json"], "--matrix is text"),
        (["--server", "postgresql://db.example.com/x"], "--here and --server cannot be given together"),
        (["--limit", "-1"], 'invalid value for "--limit"'),
        (["--limit", "0.0001"], 'invalid value for "--limit"'),  # to PostgreSQL it is none at all
    ],
)
def test_refused(command: Run, database: Database, words: list[str], said: str) -> None:
    """What cannot be meant is refused, and leaves nothing behind."""
    assert said in command("--here", *words, code=2).stderr
    assert rows(database) == 0


@pytest.mark.breadth
def test_too_little(command: Run, database: Database) -> None:
    """Where nobody sees a row of their own, nothing found is no answer."""
    with database.superuser_connection() as connection:
        connection.execute("alter policy own on public.diaries using (false); drop table public.scores")
    told = command("--here", code=2).stdout
    assert "too little was tried: nobody sees any row of their own" in told
    assert "public.diaries: Alice (authenticated) does not see the own row" in told


@pytest.mark.breadth
def test_what_cannot_be_copied_is_named(command: Run, database: Database) -> None:
    """What the copy's server refuses, such as an extension that it has not, is named; the rest goes on."""
    with database.superuser_connection() as connection:
        connection.execute("set allow_in_place_tablespaces = on")
        connection.execute("create tablespace shape_space location ''")
        connection.execute("alter table public.diaries set tablespace shape_space")
    try:
        told = command().stdout
    finally:
        with database.superuser_connection() as connection:
            connection.execute("alter table public.diaries set tablespace pg_default")
            connection.execute("drop tablespace shape_space")
    assert 'not copied: invalid value for parameter "default_tablespace": "shape_space"' in told
    assert "QUESTION  public.scores" in told


@pytest.mark.breadth
def test_script(command: Run, database: Database, tmp_path: Path) -> None:
    """What --format sql writes shows the finding in psql, on the empty schema, and leaves nothing behind."""
    script = tmp_path / "proof.sql"
    script.write_text(command("--here", "--format", "sql").stdout, encoding="utf-8")
    done = run_psql(database.cluster.url("admin", dbname=database.name), "-f", script)
    assert "QUESTION  public.scores: Alice (authenticated) is shown everybody's rows" in done
    assert "b0b00000-0000-4000-8000-000000000002" in done
    assert rows(database) == 0


@pytest.mark.breadth
def test_sarif_and_html(command: Run) -> None:
    """Both tell of the same, with the proof."""
    (result,) = json.loads(command("--here", "--format", "sarif").stdout)["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("read_by_all", "warning")
    assert "select * from public.scores where user_id" in result["message"]["text"]
    page = command("--here", "--format", "html").stdout
    assert '<h2 class="question">question: public.scores</h2>' in page
    assert "select * from public.scores where user_id = &#x27;b0b00000" in page


@pytest.mark.breadth
def test_beside_the_audit(
    platform: Cluster, database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """audit --probe: what was shown has its proof, what could have been and was not is a warning, and new is added."""
    with database.superuser_connection() as connection:
        connection.execute(BESIDE.encode())
    runner = Runner(tmp_path, capfd, ADMIN_DATABASE_URL=platform.url("admin", dbname=database.name).text())
    told = json.loads(runner("audit", "--profile", "supabase", "--probe", "--json", code=1).stdout)["findings"]
    found = {(each["rule"], each["object"]): each for each in told}
    shown = found["policy_open", "policy gone on public.notices"]
    assert shown["level"] == "error"
    assert "Shown by trying: Alice (authenticated) deletes Bob's row: set session authorization" in shown["detail"]
    unseen = found["policy_open", "policy never on public.quiet"]
    assert (unseen["level"], unseen["detail"].endswith("Not shown by trying.")) == ("warning", True)
    assert found["probe", "public.enrol(uuid)"]["level"] == "error"


BESIDE = """
create table public.notices (id uuid primary key, user_id uuid not null references auth.users);
alter table public.notices enable row level security;
create policy own on public.notices for select to authenticated using (user_id = auth.uid());
create policy gone on public.notices for delete to authenticated using (true);
grant select, delete on public.notices to authenticated;
create table public.quiet (id uuid primary key, user_id uuid not null references auth.users);
alter table public.quiet enable row level security;
create policy own on public.quiet for select to authenticated using (user_id = auth.uid());
create policy never on public.quiet for delete to authenticated using (true);
grant select, delete on public.quiet to authenticated;
create function public.keep() returns trigger language plpgsql as 'begin return null; end';
create trigger keep before delete on public.quiet for each row execute function public.keep();
create table public.guests (
    party_id uuid not null, user_id uuid not null references auth.users, primary key (party_id, user_id)
);
create table public.asked (id uuid primary key, party_id uuid not null);
create table public.parties (id uuid primary key, party_id uuid not null, place text);
alter table public.guests enable row level security; alter table public.asked enable row level security;
alter table public.parties enable row level security;
grant select on public.guests, public.parties to authenticated;
create policy own on public.guests for select to authenticated using (user_id = auth.uid());
create policy guests on public.parties for select to authenticated
    using (party_id in (select g.party_id from public.guests as g where g.user_id = auth.uid()));
create function public.enrol(ask uuid) returns void language sql security definer set search_path = ''
    as 'insert into public.guests select a.party_id, auth.uid() from public.asked as a where a.id = ask';
revoke execute on function public.enrol(uuid) from public;
grant execute on function public.enrol(uuid) to authenticated;
"""
