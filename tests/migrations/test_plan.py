"""Plans are read as Sqitch reads them: the same ids and the same refusals, asked of Sqitch's own parser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.clusters import ROOT, first_of
from tests.migrations.plans import ACCEPTED, AT, HEX, REFUSED, plan
from tests.migrations.sqitch import Oracle, oracle
from userscope.errors import PlanError
from userscope.migrations.plan.grammar import parse
from userscope.migrations.plan.plan import Plan
from userscope.migrations.projects import Project

PATH = Path("sqitch.plan")


@pytest.fixture(scope="module")
def sqitch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    """Sqitch's parser, in a folder where some scripts of reworked changes exist."""
    folder = tmp_path_factory.mktemp("oracle")
    (folder / "deploy").mkdir()
    for name in ("a@v2.sql", "b@v1.sql"):
        (folder / "deploy" / name).touch()
    with oracle(folder) as asked, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield asked


def described(read: Plan) -> dict[str, Any]:
    """A plan in the oracle's words."""
    project = Project(Path(), read, {})
    return {
        "project": read.project,
        "uri": read.uri,
        "changes": [
            {
                "id": change.id,
                "info": change.info,
                "name": change.name,
                "note": change.note,
                "deploy": str(project.script_of("deploy", change)),
                "tags": [{"id": tag.id, "info": tag.info, "name": tag.label} for tag in change.tags],
            }
            for change in read.changes
        ],
    }


def compare(asked: Oracle, data: bytes) -> None:
    """Fail unless both read the plan alike, or both refuse it."""
    theirs = asked.ask(data)
    try:
        ours = described(parse(data, PATH))
    except PlanError:
        ours = {"error": theirs.get("error")}
    assert ours == theirs


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(sqitch: Oracle, name: str) -> None:
    """A valid plan gives Sqitch's ids, texts and file names."""
    assert described(parse(ACCEPTED[name], PATH)) == sqitch.ask(ACCEPTED[name])


@pytest.mark.parametrize("name", REFUSED)
def test_refused(sqitch: Oracle, name: str) -> None:
    """What Sqitch refuses is refused, by one sentence that names the plan."""
    with pytest.raises(PlanError, match=r'plan "sqitch\.plan"'):
        parse(REFUSED[name], PATH)
    assert "error" in sqitch.ask(REFUSED[name])


@pytest.mark.parametrize("project", ["schema", "policies"])
def test_our_own_plans(sqitch: Oracle, project: str) -> None:
    """The repository's two plans are read as Sqitch reads them."""
    data = (ROOT / project / "sqitch.plan").read_bytes()
    theirs = sqitch.ask(data)
    assert described(parse(data, PATH)) == theirs
    assert len(theirs["changes"]) > 3


@pytest.mark.parametrize("dependency", [HEX, f"!{HEX}", f"b {HEX}"])
def test_bare_id(dependency: str) -> None:
    """A dependency that is no more than an id is refused: Sqitch recurses on it until it is killed."""
    with pytest.raises(PlanError, match="an id cannot stand alone"):
        parse(plan("b", f"a [{dependency}]"), PATH)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (plan("a", "", "b [c]"), 5),
        (plan("a", "b") + b"\xff", 5),
        (plan("a", "a"), 4),
        (b"%project=p\nx\n", 2),
        (plan("b [c]", "a", "@v1"), 3),
    ],
)
def test_line(data: bytes, line: int) -> None:
    """A refusal names the line."""
    with pytest.raises(PlanError) as refused:
        parse(data, PATH)
    assert refused.value.detail == f"This is line {line}."


@pytest.mark.parametrize("uri", ["db:pg://h/x", "LDAP://h/x", "mongodb://h/x", "sip:a@b"])
def test_strange_uri(uri: str) -> None:
    """A URI with rules of its own is refused rather than hashed into a wrong id."""
    with pytest.raises(PlanError, match="cannot begin with"):
        parse(plan("a", header=f"%project=p\n%uri={uri}\n\n"), PATH)


# Words that meet each other's rules; blanks, marks and punctuation from beyond ASCII among them.
_LETTERS = st.sampled_from([*"ab09_/~^=%-.@:#[]!<>", "\\", " ", "\t", "é", "́", "中", "٣", "\u00a0", "—", "\u200d"])
_WORDS = st.text(_LETTERS, min_size=1, max_size=5)
_KNOWN = st.sampled_from(
    ["a", "b", "c", "d/e", "@v1", "@v2", "a@v1", "p:a", "q:x", "!a", "!q:y@v1", "@HEAD", f"q:{HEX}"]
)
_NOTES = st.sampled_from(["", " # n", "# 0", " # a\\nb", " #", " # é \\\\ \\x", "#  \u2003 "])
_GOOD_LINES = st.builds(
    lambda name, known, note: f"{name}{f' [{" ".join(known)}]' if known else ''} {AT}{note}",
    st.sampled_from(["a", "b", "c", "d/e"]),
    st.lists(_KNOWN, max_size=3),
    _NOTES,
)
_TAGS = st.builds(lambda name, note: f"@{name} {AT}{note}", st.sampled_from(["v1", "v2", "v3"]), _NOTES)
_ODD_LINES = st.one_of(
    st.builds(lambda name: f"{name} {AT}", _WORDS),
    st.builds(lambda words: f"a [{words}] {AT}", st.text(_LETTERS, max_size=8)),
    st.builds(lambda words: f"b {AT} #{words}", st.text(_LETTERS, max_size=8)),
    st.builds(lambda words: f"c 2026-01-02T03:04:05Z{words}", st.text(_LETTERS, max_size=12)),
    st.text(_LETTERS, max_size=12),
)
_HEADERS = st.one_of(
    st.just("%project=p\n\n"),
    st.builds(
        lambda host, path: f"%project=p\n%uri=https://{host}{path}\n\n",
        st.sampled_from(["Ex.com", "ex.com:443", "A:b@Ex.com:", "ex.com:8443", "É.com", ""]),
        st.text("aA?%:4e&é [|#", max_size=6).map(lambda path: f"/{path}" if path else ""),
    ),
    st.builds(lambda words: f"%project={words}\n\n", _WORDS),
    st.builds(lambda words: f"%{words}\n%project=p\n\n", _WORDS),
)


@pytest.mark.parametrize("examples", first_of(100, 400))
def test_any_mostly_valid_plan(sqitch: Oracle, examples: int) -> None:
    """Whatever changes, tags, rework and dependencies stand together, both read alike."""

    @given(st.lists(st.one_of(_GOOD_LINES, _GOOD_LINES, _TAGS), max_size=8), st.sampled_from(["\n", "\r\n"]))
    @settings(max_examples=examples, derandomize=True)
    def alike(lines: list[str], end: str) -> None:
        compare(sqitch, ("%project=p\n\n" + "".join(f"{line}{end}" for line in lines)).encode())

    alike()


@pytest.mark.parametrize("examples", first_of(200, 800))
def test_any_odd_plan(sqitch: Oracle, examples: int) -> None:
    """However a line is spoiled, both read alike or both refuse."""

    @given(_HEADERS, st.lists(st.one_of(_GOOD_LINES, _ODD_LINES), max_size=3))
    @settings(max_examples=examples, derandomize=True)
    @example("%project=p\n%uri=https://Ex.com:\n\n", [])
    def alike(header: str, lines: list[str]) -> None:
        text = header + "".join(f"{line}\n" for line in lines)
        bare_id = any(word.lstrip("!") == HEX for word in text.replace("[", " ").replace("]", " ").split())
        if not bare_id:
            compare(sqitch, text.encode())

    alike()


@pytest.fixture(scope="module")
def reworked() -> Plan:
    """A plan with a reworked change."""
    return parse(plan("a", "b", "@v1", "a [a@v1]", "c", "@v2", "d"), PATH)


@pytest.mark.parametrize(
    ("key", "index"),
    [
        ("b", 1),
        ("a@v1", 0),
        ("a@v2", 2),
        ("a@HEAD", 2),
        ("@v1", 1),
        ("@v2", 3),
        ("HEAD", 4),
        ("@HEAD", 4),
        ("ROOT", 0),
        ("@ROOT", 0),
        ("HEAD^", 3),
        ("@HEAD^^", 2),
        ("@HEAD^4", 0),
        ("@HEAD^5", None),
        ("b~", 2),
        ("b~~", 3),
        ("b~3", 4),
        ("b~4", None),
        ("@v9", None),
        ("nowhere", None),
        ("c@v1", None),
    ],
)
def test_lookup(reworked: Plan, key: str, index: int | None) -> None:
    """Changes are found by name, tag and offset."""
    assert reworked.index_of(key) == index


def test_lookup_by_id(reworked: Plan) -> None:
    """Changes are found by their own id and by their tags'."""
    assert [reworked.index_of(change.id) for change in reworked.changes] == [0, 1, 2, 3, 4]
    assert [reworked.index_of(tag.id) for change in reworked.changes for tag in change.tags] == [1, 3]


def test_ambiguous(reworked: Plan) -> None:
    """The name of a reworked change needs a tag; the refusal tells which."""
    with pytest.raises(PlanError, match='change "a" is ambiguous') as refused:
        reworked.index_of("a")
    assert refused.value.hint == 'It was reworked; name one of "a@HEAD", "a@v1".'


def test_unknown_tag(reworked: Plan) -> None:
    """A change as of a tag that is not there is refused."""
    with pytest.raises(PlanError, match='unknown tag "@v9"'):
        reworked.index_of("a@v9")
