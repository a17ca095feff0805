"""``[tool.userscope]``: found from the working directory upwards; whatever is wrong with it is one clear error."""

from pathlib import Path

import pytest

from tests.migrations.sketch import Sketch, write
from userscope import pyproject
from userscope.errors import ConfigurationError, PlanError
from userscope.migrations import projects

ALL = ["schema", "policies"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, worked in from one that lies deeper."""
    deeper = tmp_path / "src" / "shop"
    deeper.mkdir(parents=True)
    monkeypatch.chdir(deeper)
    return tmp_path


def configure(folder: Path, text: str) -> Path:
    """Write a section."""
    file = folder / "pyproject.toml"
    file.write_text(text, encoding="utf-8")
    return file


def changes() -> dict[str, list[str]]:
    """What a command would deploy."""
    return {project.name: [change.name for change in project.plan.changes] for project in projects.find()}


def test_nothing() -> None:
    """Without a section everything of ours is meant."""
    assert pyproject.read() == pyproject.Section("all", (), None)
    assert changes()["schema"][:3] == ["app", "identity", "users"]


def test_core(here: Path) -> None:
    """The core is what the tags say; folders are the pyproject.toml's; nearer files without the section are passed."""
    configure(here, '[tool.userscope]\nours = "core"\nprojects = ["db"]\n')
    configure(here / "src", "[tool.ruff]\n")
    write(here / "db" / "schema", Sketch.table("a"), name="shop_schema")
    write(here / "db" / "policies", Sketch.table("b"), name="shop_policies")
    assert changes() == {
        "schema": ["app", "identity"],
        "policies": ["access"],
        "shop_schema": ["a"],
        "shop_policies": ["b"],
    }


def test_distributed(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Citus needs comes behind ours, core or all; --project names it alone, to go back to one node."""
    configure(here, "[tool.userscope]\ndistributed = true\n")
    assert list(changes()) == [*ALL, "distributed"]
    assert changes()["distributed"] == ["shards", "identity", "lockdown", "tables", "organizations"]
    configure(here, '[tool.userscope]\nours = "core"\ndistributed = true\n')
    assert changes()["distributed"] == ["shards", "identity", "lockdown"]
    assert [project.name for project in projects.find([Path("distributed")])] == ["distributed"]
    monkeypatch.chdir(projects.shipped())
    assert [project.name for project in projects.find([Path("distributed")])] == ["distributed"]


def test_options_win(here: Path) -> None:
    """--project names what is meant instead; beside ours, the core alone comes along."""
    configure(here, '[tool.userscope]\nours = "core"\nprojects = ["db"]\n')
    named = here / "other"
    write(named, Sketch.table("a"))
    assert [project.name for project in projects.find([named])] == ["p"]
    beside = projects.beside_ours([named])
    assert [project.name for project in beside] == ["schema", "policies", "p"]
    assert [len(project.plan.changes) for project in beside] == [2, 1, 1]


def test_own_pair_in_its_place(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pair of one's own may lie where ours would: named by the section it is not taken for ours."""
    monkeypatch.chdir(here)
    for name in ALL:
        write(here / name, Sketch.table("a"), name=f"shop_{name}")
    configure(here, '[tool.userscope]\nours = "core"\nprojects = ["."]\n')
    assert list(changes()) == ["schema", "policies", "shop_schema", "shop_policies"]


def test_no_core(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of our plans without the tag are refused."""
    monkeypatch.chdir(here)
    for name in ALL:
        write(here / name, Sketch.table("a"), name=name)
    configure(here, '[tool.userscope]\nours = "core"\n')
    with pytest.raises(PlanError, match='the plan of "schema" has no tag @core'):
        projects.find()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[tool.userscope]\ndistributed = "yes"\n', r"distributed in \[tool.userscope\] means nothing"),
        ('[tool.userscope]\nour = "core"\n', r'\[tool.userscope\] has no key "our"'),
        ('[tool.userscope]\nours = "mine"\n', r"ours in \[tool.userscope\] means nothing"),
        ("[tool.userscope]\nours = 1\n", r"ours in \[tool.userscope\] means nothing"),
        ("[tool.userscope]\nours = []\n", r"ours in \[tool.userscope\] means nothing"),
        ('[tool.userscope]\nprojects = "db"\n', r"projects in \[tool.userscope\] is no list of folders"),
        ("[tool.userscope]\nprojects = [1]\n", r"projects in \[tool.userscope\] is no list of folders"),
        ('[tool.userscope]\nprojects = [""]\n', r"projects in \[tool.userscope\] is no list of folders"),
        ('[tool.userscope]\nprojects = ["nowhere"]\n', r'there is no folder ".*nowhere"'),
        ('[tool.userscope]\nprojects = ["src"]\n', r'".*src" holds no Sqitch project'),
        ("[tool]\nuserscope = 1\n", r"\[tool.userscope\] is no table"),
        ("[tool.userscope\n", r'".*pyproject.toml" is not valid'),
    ],
)
def test_refused(here: Path, text: str, words: str) -> None:
    """An unknown key, an unknown value, a folder that is not there: one error, which names the file."""
    configure(here, text)
    with pytest.raises(ConfigurationError, match=words) as refused:
        projects.find()
    assert "pyproject.toml" in str(refused.value)


def test_not_text(here: Path) -> None:
    """A file that is not UTF-8 is refused with its name."""
    (here / "pyproject.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match=r'".*pyproject.toml" is not valid'):
        pyproject.read()
