"""Sqitch's configuration is read as Sqitch reads it: the committer, folders, names of files."""

from pathlib import Path

import pytest

from tests.clusters import Database
from tests.migrations import sqitch
from tests.migrations.conftest import dump, rows
from tests.migrations.sketch import Sketch, write
from tests.versions import first_of
from userscope.errors import ConfigurationError, PlanError
from userscope.migrations import runner
from userscope.migrations.config import committer, read_config
from userscope.migrations.layout import Layout
from userscope.migrations.projects import find, load

A, B = Sketch.table("a"), Sketch.table("b")


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a project's file lies, which is the only one: neither the system nor the user has another."""
    for whose in ("SYSTEM", "USER"):
        monkeypatch.setenv(f"SQITCH_{whose}_CONFIG", str(tmp_path / "none"))
    return tmp_path / "sqitch.conf"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("# c\n; c\n\n", {}),
        ("[core]\n\tengine = pg\n", {"core.engine": "pg"}),
        ("[CORE]\nEngine=pg", {"core.engine": "pg"}),
        ("[core]engine=pg # c", {"core.engine": "pg"}),
        ("[core]\n a = b ; c\n\n b = d\n", {"core.a": "b", "core.b": "d"}),
        ("[core]\n a =\n", {"core.a": ""}),
        ("[core]\n a = x   y\tz  \n", {"core.a": "x y z "}),
        ('[core]\n a = " x # y "z\n', {"core.a": " x # y z"}),
        ("[core]\n a = x#y;z\n", {"core.a": "x#y;z"}),
        ('[core]\n a = "q\\"b\\\\ c\\n\\td"\n', {"core.a": 'q\\"b\\ c\n\td'}),
        ('[core]\n a = q\\"b\\\\ c\\n\\td\n', {"core.a": 'q"b\\ c\n\td'}),
        ("[core]\n a = b \\\n c\n", {"core.a": "b  c"}),
        ('[core]\n a = "b \\\n c"\n', {"core.a": "b  c"}),
        ('[engine "pg"]\n a = b\n[target "X y"]\n c = d', {"engine.pg.a": "b", "target.X y.c": "d"}),
        ("[core.variables]\n a = b\n", {"core.variables.a": "b"}),
        ("[core]\n a = b # c \\\n d = e\n", {"core.a": "b", "core.d": "e"}),
        ("[core]\n git \\\n a[0] = b[c]\n", {"core.a[0]": "b[c]"}),
        ('[core]\n a = "b\nc" # d\n', {"core.a": "b\nc"}),
        ("[core]\r\n a = b\x0b\u2028c\r\n", {"core.a": "b\x0b\u2028c"}),
        ("[a] b = c\n[core][d] e = f\n", {"a.b": "c", "d.e": "f"}),
    ],
)  # fmt: skip
def test_parse(alone: Path, text: str, values: dict[str, str]) -> None:
    """Sections, subsections, quotes, escapes, comments and continued lines: all as Sqitch takes them."""
    alone.write_text(text, encoding="utf-8")
    assert read_config(alone.parent) == values
    for key, value in values.items():
        assert sqitch.config(alone, key) == value


@pytest.mark.parametrize(
    "text",
    ["a = b", "[core\na = b", "[core]\n= b", "git add .", "[core]\na = b\\d", '[core]\na = "b', '[a "b\\c"]\nd = e'],
)
def test_not_valid(alone: Path, text: str) -> None:
    """What is neither a section nor a key is refused, with its line; Sqitch refuses it as well."""
    alone.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        read_config(alone.parent)
    assert "Line " in (refused.value.detail or "")
    with pytest.raises(AssertionError, match="Error parsing"):
        sqitch.config(alone, "core.a")


def test_key_without_value(alone: Path) -> None:
    """A key without a value is as good as none."""
    alone.write_text("[core]\n a = b\n top_dir\n[deploy]\n verify # c\n", encoding="utf-8")
    assert read_config(alone.parent) == {"core.a": "b"}


@pytest.mark.parametrize("value", [" = true", " = Yes", " = on", " = -01", " = NO", " = off", " = 00", " =", ""])
def test_boolean(alone: Path, value: str) -> None:
    """True and false are written as for Git; a key without a value is true."""
    alone.write_text(f"[deploy]\n verify{value}\n", encoding="utf-8")
    verifies = Layout(alone.parent, read_config(alone.parent)).verifies(default=True)
    said = sqitch.config(alone, "deploy.verify", "--bool")
    assert (said in ("true", "1")) is verifies


def test_no_boolean(alone: Path) -> None:
    """What is neither true nor false is refused."""
    alone.write_text("[deploy]\n verify = maybe\n", encoding="utf-8")
    layout = Layout(alone.parent, read_config(alone.parent))
    with pytest.raises(ConfigurationError, match=r'deploy\.verify is "maybe"'):
        layout.verifies(default=True)
    with pytest.raises(AssertionError, match="Invalid bool"):
        sqitch.config(alone, "deploy.verify", "--bool")


def test_stray_words(tmp_path: Path) -> None:
    """Lines of other words are keys without a value, as Sqitch reads them: what follows still counts."""
    path = tmp_path / "sqitch.conf"
    path.write_text("[core]\n\tengine = pg\ngit add .\ngit add .\n\tregistry = ops\n", encoding="utf-8")
    assert read_config(tmp_path)["core.registry"] == sqitch.config(path, "core.registry") == "ops"


def test_said_twice(tmp_path: Path) -> None:
    """One file must not set a key twice, where Sqitch takes one value; two files may, and the later one wins."""
    path = tmp_path / "sqitch.conf"
    path.write_text("[core]\n\tregistry = a\n\tRegistry = b\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"sets core\.registry twice"):
        read_config(tmp_path)
    with pytest.raises(AssertionError):
        sqitch.config(path, "core.registry")


def test_include(tmp_path: Path) -> None:
    """Another file is read where it is included, beside the one that says so; one that is not there is none."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.conf").write_text("[include]\npath = b.conf\n[core]\na = 1\n", encoding="utf-8")
    (tmp_path / "more" / "b.conf").write_text("[core]\nb = 1\nc = 1\n", encoding="utf-8")
    text = "[core]\na = 0\nc = 0\n[include]\npath = more/a.conf\npath = nowhere\npath = ~no-one-here/b\n[core]\nd = 0\n"
    (tmp_path / "sqitch.conf").write_text(text, encoding="utf-8")
    found = read_config(tmp_path)
    assert {key: found[f"core.{key}"] for key in "abcd"} == {"a": "1", "b": "1", "c": "1", "d": "0"}
    for key in "abcd":
        assert sqitch.config(tmp_path / "sqitch.conf", f"core.{key}") == found[f"core.{key}"]
    (tmp_path / "sqitch.conf").write_text("[include]\npath = sqitch.conf\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is included too deeply"):
        read_config(tmp_path)


def test_precedence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project's file wins over the user's, and that over the system's."""
    for name, text in (("system", "a = 1\nb = 1\nc = 1"), ("user", "b = 2\nc = 2"), ("local", "c = 3")):
        (tmp_path / name).write_text(f"[x]\n{text}\n", encoding="utf-8")
    monkeypatch.setenv("SQITCH_SYSTEM_CONFIG", str(tmp_path / "system"))
    monkeypatch.setenv("SQITCH_USER_CONFIG", str(tmp_path / "user"))
    (tmp_path / "local").rename(tmp_path / "sqitch.conf")
    assert read_config(tmp_path) == {"x.a": "1", "x.b": "2", "x.c": "3"}


COMMITTERS = {
    "from the environment": ({"SQITCH_FULLNAME": "Eve", "SQITCH_EMAIL": "eve@x.org"}, True),
    "from the file": ({}, True),
    "of who called": ({"SQITCH_ORIG_FULLNAME": "Orig", "SQITCH_ORIG_EMAIL": "orig@x.org"}, False),
    "of the system's user": ({"SQITCH_ORIG_SYSUSER": "nobody"}, False),
    "of the login": ({}, False),
}


@pytest.mark.parametrize("case", COMMITTERS)
def test_committer(
    empty: Database, other: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """The committer is whom Sqitch would name."""
    environment, configured = COMMITTERS[case]
    project = write(tmp_path / "p", A)
    if configured:
        with (project.folder / "sqitch.conf").open("a", encoding="utf-8") as file:
            file.write("[user]\n\tname = Ada Löve 中\n\temail = ada@löve.org\n")
    for name in sqitch.COMMITTER:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    runner.migrate(empty.url(), [load(project.folder)])
    sqitch.run(project.folder, other.url(), "deploy", "--verify", committer=environment)
    assert rows(empty) == rows(other)


@pytest.mark.parametrize(
    ("name", "value"), [("SQITCH_FULLNAME", "A <b"), ("SQITCH_FULLNAME", "[A"), ("SQITCH_EMAIL", "a>b")]
)
def test_bad_committer(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A name that no plan could hold is refused, as by Sqitch."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as refused:
        committer({})
    assert name in (refused.value.hint or "")


LAYOUTS = {
    "folders": "[core]\n\tengine = pg\n\ttop_dir = sql\n\tdeploy_dir = sql/up\n\treworked_deploy_dir = sql/up\n"
    "\tplan_file = the.plan\n\textension = ddl\n",
    "engine": '[core]\n\tengine = pg\n\ttop_dir = wrong\n[engine "pg"]\n\ttop_dir = sql\n\textension = ddl\n',
    "reworked": "[core]\n\tengine = pg\n\treworked_dir = old\n\treworked_verify_dir = older\n",
}


@pytest.mark.parametrize("layout", first_of(*LAYOUTS))
def test_layout(empty: Database, other: Database, tmp_path: Path, layout: str) -> None:
    """Folders and file names are where the configuration puts them."""
    folder = tmp_path / "p"
    reworked = Sketch("a", "begin;\nselect 2;\ncommit;\n", "begin;\nselect 1;\ncommit;\n", "select 1;")
    write(folder, A, "@v1", reworked, Sketch.table("c"))
    for kind in ("deploy", "revert", "verify"):
        target = folder / {"reworked": "older" if kind == "verify" else f"old/{kind}"}.get(layout, kind)
        target.mkdir(parents=True, exist_ok=True)
        (target / "a@v1.sql").write_text(getattr(A, kind), encoding="utf-8")
    if layout != "reworked":
        (folder / "sql").mkdir()
        for kind in ("deploy", "revert", "verify"):
            target = folder / "sql" / ("up" if (layout, kind) == ("folders", "deploy") else kind)
            (folder / kind).rename(target)
            for script in target.iterdir():
                script.rename(script.with_suffix(".ddl"))
        (folder / "sqitch.plan").rename(folder / ("the.plan" if layout == "folders" else "sql/sqitch.plan"))
    (folder / "sqitch.conf").write_text(LAYOUTS[layout], encoding="utf-8")
    project = load(folder)
    runner.migrate(empty.url(), [project])
    sqitch.run(folder, other.url(), "deploy", "--verify")
    assert rows(empty) == rows(other)
    assert len(rows(empty)["changes"]) == 3
    runner.revert(empty.url(), [project], to=None, confirm=lambda _: True)
    sqitch.run(folder, other.url(), "revert", "-y")
    assert rows(empty) == rows(other)
    assert dump(empty) == dump(other)


def test_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--project names projects or a folder of such; else they are those of the current folder, or userscope's own."""
    write(tmp_path / "both" / "schema", A, name="mine")
    write(tmp_path / "both" / "policies", B, name="yours")
    write(tmp_path / "both" / "aaa", Sketch.table("z"), name="third")
    assert [project.name for project in find([tmp_path / "both"])] == ["mine", "third", "yours"]
    assert [project.name for project in find([tmp_path / "both" / "policies"])] == ["yours"]
    monkeypatch.chdir(tmp_path / "both")
    assert [project.name for project in find()] == ["mine", "yours"]
    monkeypatch.chdir(tmp_path)
    assert [project.name for project in find()] == ["schema", "policies"]


def test_find_nothing(tmp_path: Path) -> None:
    """A folder without a project, or without a plan, is told apart."""
    with pytest.raises(ConfigurationError, match="there is no folder"):
        find([tmp_path / "nowhere"])
    with pytest.raises(ConfigurationError, match="holds no Sqitch project"):
        find([tmp_path])
    (tmp_path / "sqitch.conf").touch()
    with pytest.raises(PlanError, match="cannot read plan"):
        find([tmp_path])


def test_find_twice(tmp_path: Path) -> None:
    """Two projects of one name, or with two registries, cannot be one run."""
    write(tmp_path / "one", A)
    write(tmp_path / "two", B)
    with pytest.raises(ConfigurationError, match='two projects are named "p"'):
        find([tmp_path / "one", tmp_path / "two"])
    write(tmp_path / "two", B, name="q")
    (tmp_path / "two" / "sqitch.conf").write_text("[core]\nregistry = elsewhere\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="different registries: elsewhere, sqitch"):
        find([tmp_path / "one", tmp_path / "two"])


def test_unreadable(tmp_path: Path) -> None:
    """A configuration that cannot be read is refused."""
    (tmp_path / "sqitch.conf").mkdir()
    with pytest.raises(ConfigurationError, match="cannot read"):
        read_config(tmp_path)


def test_not_utf8(tmp_path: Path) -> None:
    """A configuration that is no text is refused."""
    (tmp_path / "sqitch.conf").write_bytes(b"[core]\n a = \xff\n")
    with pytest.raises(ConfigurationError, match="cannot read"):
        read_config(tmp_path)


def test_engine(tmp_path: Path) -> None:
    """Scripts of another engine are not for us, unless a target leads to PostgreSQL."""
    (tmp_path / "sqitch.plan").write_text("%syntax-version=1.0.0\n%project=p\n\n", encoding="utf-8")
    path = tmp_path / "sqitch.conf"
    path.write_text("[core]\nengine = sqlite\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match='is for the engine "sqlite", not for PostgreSQL'):
        load(tmp_path)
    assert load(tmp_path, "db:pg://localhost/a").name == "p"
    for engine in ("PG", "sqlite\ntarget = db:pg:a"):
        path.write_text(f"[core]\nengine = {engine}\n", encoding="utf-8")
        assert load(tmp_path).name == "p"
