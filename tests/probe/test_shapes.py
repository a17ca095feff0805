"""userscope probe shows each hole for its reason, and accuses nothing that is right."""

import re
from itertools import batched

import pytest

from tests.clusters import Cluster
from tests.probe.conftest import SHAPES, Probe, probed
from userscope.probe.answers import RULES
from userscope.probe.run import Options, Result

FILES = ("reading", "writing", "calling")


def shapes(name: str) -> list[tuple[str, str]]:
    """Read ``-- == title`` and its SQL, which begins with what is to be found: ``-- level rule object``."""
    parts = re.split(r"^-- == (.+)\n", (SHAPES / f"{name}.sql").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [(title, sql) for title, sql in batched(parts[1:], 2, strict=True)]


ALL = [shape for name in FILES for shape in shapes(name)]


def expected(sql: str) -> set[tuple[str, str, str]]:
    """What is to be found in a shape, and nothing else."""
    return {(level, rule, thing) for level, rule, thing in re.findall(r"^-- (\w+) (\w+) (.+)$", sql, re.MULTILINE)}


def found(result: Result) -> set[tuple[str, str, str]]:
    """What was found, without notes."""
    return {(each.level, each.rule, each.object) for each in result.findings if each.level != "note"}


def told(result: Result) -> list[str]:
    """Everything that is told of a run."""
    lines = [f"{each.level} {each.id} {each.sentence} {each.basis} {each.proof}" for each in result.findings]
    return [*lines, str(result.coverage)]


@pytest.mark.parametrize(("title", "sql"), ALL[::5], ids=[title for title, _ in ALL[::5]])
def test_shape(probe: Probe, title: str, sql: str) -> None:
    """Exactly what is there is shown, each proof comes out the same in a session of its own, and enough was tried."""
    judge(probe(sql), title, sql)


@pytest.mark.breadth
@pytest.mark.parametrize(("title", "sql"), ALL, ids=[title for title, _ in ALL])
def test_every_shape(platform: Cluster, platform15: Cluster, title: str, sql: str) -> None:
    """So it is with each of them, and PostgreSQL 15, in another run, is told of in the same words."""
    result = probed(platform, sql)
    judge(result, title, sql)
    assert told(result) == told(probed(platform15, sql)), title


def judge(result: Result, title: str, sql: str) -> None:
    assert found(result) == expected(sql), (title, told(result))
    assert all(each.shown_again and each.rule in RULES for each in result.findings)
    assert result.coverage.filled == result.coverage.tables
    assert result.coverage.too_little == []


@pytest.mark.breadth
def test_as_a_member(probe: Probe) -> None:
    """Who is bound by a policy as a member is asked what its own role is asked."""
    scores = dict(ALL)["whoever is signed in reads scores: perhaps meant"]
    result = probe(f"{scores}; reset role; grant authenticated to shape_desk", Options(roles=("shape_desk",)))
    assert found(result) == {("question", "read_by_all", "public.scores")}
