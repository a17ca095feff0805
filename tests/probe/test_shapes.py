"""userscope probe shows each hole for its reason, and accuses nothing that is right."""

import re
from itertools import batched

import pytest

from tests.clusters import Cluster
from tests.probe.conftest import SHAPES, Probe, probed
from userscope.probe.answers import RULES
from userscope.probe.run import Result

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


SOME = [pytest.param(*shape, id=shape[0], marks=[pytest.mark.breadth] * bool(n % 5)) for n, shape in enumerate(ALL)]
"""Four of five are left to the breadth."""


@pytest.mark.parametrize(("title", "sql"), SOME)
def test_shape(probe: Probe, title: str, sql: str) -> None:
    """Exactly what is there is shown, each proof comes out the same in a session of its own, and enough was tried."""
    result = probe(sql)
    assert found(result) == expected(sql), (title, told(result))
    assert all(each.shown_again and each.rule in RULES for each in result.findings)
    assert result.coverage.filled == result.coverage.tables
    assert result.coverage.too_little == []


@pytest.mark.breadth
@pytest.mark.parametrize(("title", "sql"), ALL, ids=[title for title, _ in ALL])
def test_on_15(platform: Cluster, platform15: Cluster, title: str, sql: str) -> None:
    """PostgreSQL 15 is told of in the same words."""
    assert told(probed(platform, sql)) == told(probed(platform15, sql)), title


@pytest.mark.breadth
@pytest.mark.parametrize(("title", "sql"), ALL[::9], ids=[title for title, _ in ALL[::9]])
def test_twice(platform: Cluster, title: str, sql: str) -> None:
    """Two runs tell the same, word for word."""
    assert told(probed(platform, sql)) == told(probed(platform, sql)), title
