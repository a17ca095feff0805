"""Baselines: what somebody accepted with a reason is no finding any more, and an entry that is wrong is told."""

import json
from datetime import date
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.clusters import Database
from userscope.audit.baseline import Baseline, Key
from userscope.errors import ConfigurationError

KNOWN = {"policy_open", "statistics"}
OPEN: Key = ("policy_open", "policy all_news on app.news", "is always true")
TOLD: Key = ("statistics", "app.news", "statistics are kept")
ENTRY = """
[[accepted]]
rule = "policy_open"
object = "policy all_news on app.news"
reason = "news are for everybody."
by = "Ada"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.toml"


def told(file: Path, text: str, *found: Key, asked: set[str] | None = None) -> tuple[list[Key], list[str]]:
    """What stays open, and the warnings about the entries, on the first day of 2030."""
    file.write_text(text, encoding="utf-8")
    judged = Baseline.read(file).sort(found, lambda key: key, known=KNOWN, asked=asked, today=date(2030, 1, 1))
    assert all((note.level, note.rule) == ("warning", "baseline") for note in judged.notes)
    assert sorted([*judged.open, *(key for key, _ in judged.accepted)]) == sorted(found), "nothing is lost"
    return judged.open, [f"{note.object}: {note.finding}" for note in judged.notes]


def test_accepted(file: Path) -> None:
    """An entry accepts what its rule finds in its object, and nothing else."""
    assert told(file, ENTRY, OPEN, TOLD) == ([TOLD], [])
    others = [(*OPEN[:1], "policy others on app.news", OPEN[2]), ("statistics", *OPEN[1:])]
    assert told(file, ENTRY, OPEN, *others) == (others, [])


def test_the_words(file: Path) -> None:
    """An entry with a finding accepts these words alone: another defect of the same object is open."""
    other = (*OPEN[:2], "can be true without an identity")
    narrow = ENTRY + 'finding = "is always true"\n'
    assert told(file, narrow, OPEN, other) == ([other], [])
    assert told(file, ENTRY, OPEN, other) == ([], [])


def test_lists(file: Path) -> None:
    """Several rules and objects have one reason; what of them is not found is told by its name."""
    several = ENTRY.replace('"policy_open"', '["policy_open", "statistics"]')
    several = several.replace('"policy all_news on app.news"', '["policy all_news on app.news", "app.news", "gone"]')
    warned = ["gone: what is accepted of policy_open, statistics is not found any more"]
    assert told(file, several, OPEN, TOLD) == ([], warned)


@pytest.mark.parametrize("written", ["2029-12-31", '"2029-12-31"'])
def test_expired(file: Path, written: str) -> None:
    """From the day after its last an entry accepts nothing, and that is told as well; on its last it does."""
    warned = ["policy all_news on app.news: what is accepted of policy_open was so until 2029-12-31, and counts again"]
    assert told(file, f"{ENTRY}until = {written}\n", OPEN) == ([OPEN], warned)
    assert told(file, f"{ENTRY}until = 2030-01-01\n", OPEN) == ([], [])
    warned = ["policy all_news on app.news: what is accepted of policy_open is not found any more"]
    assert told(file, f"{ENTRY}until = {written}\n{ENTRY}", OPEN) == ([], warned), "another entry took its place"


def test_unused(file: Path) -> None:
    """An entry that nothing needs is told, expired or not; one whose rule was not asked is not."""
    warned = ["policy all_news on app.news: what is accepted of policy_open is not found any more"]
    assert told(file, ENTRY, TOLD) == ([TOLD], warned)
    assert told(file, f"{ENTRY}until = 2029-12-31\n", TOLD) == ([TOLD], warned)
    assert told(file, ENTRY, TOLD, asked={"statistics"}) == ([TOLD], [])


def test_unknown_rule(file: Path) -> None:
    """A rule that there is not is told: its entry accepts nothing."""
    warned = ['policy all_news on app.news: there is no rule "policy_opne" to accept something of']
    assert told(file, ENTRY.replace("policy_open", "policy_opne"), OPEN) == ([OPEN], warned)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[accepted", "is not TOML"),
        ("rule = 'x'", "holds something other than [[accepted]]"),
        ("accepted = 'policy_open'", "holds something other than [[accepted]]"),
        ("[accepted]\nrule = 'x'", "holds something other than [[accepted]]"),
        ("[[accepted]]\nrule = 'x'", 'entry 1 of "{file}" has no object and no reason and no by'),
        (ENTRY + ENTRY.replace("news are for everybody.", ""), 'entry 2 of "{file}" has no reason'),
        (ENTRY + "untill = 2030-01-01", 'entry 1 of "{file}" has an unknown key "untill"'),
        (ENTRY + "until = 2030-01-01T00:00:00Z", "until is no day"),
        (ENTRY + "until = 'soon'", "until is no day"),
        (ENTRY + "until = 5", "until is no day"),
        (ENTRY.replace('"Ada"', "7"), "by is no text"),
        (ENTRY.replace('"policy_open"', "['policy_open', 7]"), "rule is no text"),
        (ENTRY.replace('"Ada"', '["Ada"]'), "by is no text"),
    ],
)
def test_refused(file: Path, text: str, words: str) -> None:
    """What is no baseline is refused, with what is wrong, where, and what to write."""
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        Baseline.read(file)
    assert words.replace("{file}", str(file)) in str(caught.value)
    assert caught.value.hint


def test_unreadable(file: Path) -> None:
    """So is a file that is not there, a folder, and what is not UTF-8."""
    with pytest.raises(ConfigurationError, match="no such file or directory"):
        Baseline.read(file)
    with pytest.raises(ConfigurationError, match="is a directory"):
        Baseline.read(file.parent)
    file.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="it is not UTF-8"):
        Baseline.read(file)


def test_command(any_database: Database, file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """``userscope audit``: --baseline takes away what counts, --only, --skip and --fail-on choose what does.

    It may take ten seconds: a dozen audits.
    """
    userscope = Runner(file.parent, capfd, ADMIN_DATABASE_URL=any_database.url().text())
    with any_database.superuser_connection() as connection:
        connection.execute(
            "alter table app.todos disable row level security; alter table app.users alter name set statistics 10"
        )
    file.write_text(
        "[[accepted]]\nrule = 'rls_disabled'\nobject = 'app.todos'\nreason = 'for a while'\nby = 'Ada'\n"
        "until = 2999-12-31\n[[accepted]]\nrule = 'drift'\nobject = 'column app.x.y'\nreason = 'it is'\nby = 'Eve'\n",
        encoding="utf-8",
    )

    def rules(*words: str, code: int = 0) -> list[str]:
        return [
            found["rule"] for found in json.loads(userscope("audit", "--json", *words, code=code).stdout)["findings"]
        ]

    given = ("--baseline", "audit.toml")
    assert rules(code=1) == ["rls_disabled", "statistics"]
    assert rules(*given) == ["statistics"], "drift was not asked, so its entry is not unused"
    assert rules(*given, "--fail-on", "warning", code=1) == ["statistics"]
    assert rules("--skip", "rls_disabled") == rules("--only", "statistics") == ["statistics"]
    assert rules("--skip", "rls_disabled", "--skip", "statistics", "--fail-on", "info") == []
    assert rules("--only", "statistics", "--fail-on", "warning", code=1) == ["statistics"]
    document = json.loads(userscope("audit", "--json", *given).stdout)
    (accepted,) = document["accepted"]
    assert (accepted["rule"], accepted["reason"], accepted["by"], accepted["until"]) == (
        *("rls_disabled", "for a while"),
        *("Ada", "2999-12-31"),
    )
    assert userscope("audit", *given).stdout.endswith("\n1 warning, 1 accepted\n")
    with any_database.superuser_connection() as connection:
        connection.execute("alter table app.todos enable row level security")
    assert rules(*given, "--fail-on", "warning", code=1) == ["baseline", "statistics"]
    assert rules(*given, "--skip", "baseline") == ["statistics"]
    for option in ("--only", "--skip"):
        refused = userscope("audit", option, "rls_disbled", code=2).stderr
        assert f'{option}: there is no rule "rls_disbled"' in refused
        assert "HINT:  There are: baseline, " in refused
    file.write_text("[[", encoding="utf-8")
    assert "is not TOML" in userscope("audit", *given, code=2).stderr
