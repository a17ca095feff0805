"""docs/threat-model.md and docs/attacks.md list the corpus as it stands; UPDATE_DOCS=1 writes their tables anew."""

import os

import pytest

from tests.attacks.attack import Attack, Outcome
from tests.attacks.corpus import CATEGORIES
from tests.attacks.guessing import TARGETS, WAYS
from tests.attacks.traces import TRACES
from tests.clusters import ROOT
from tests.docs.generate import replaced
from tests.pooling.plants import PLANTS

PAGES = {
    "threat-model.md": ["guessing", "poisoning", "traces", "failing open", "not promised"],
    "attacks.md": ["forging", "tampering", "escalation", "organizations", "probing"],
}
"""Each page's tables."""


def attacks(category: str) -> str:
    """A table of one category: each attack, and what came of it, unsealed and sealed."""
    lines = ["| attack | unsealed | sealed |", "|---|---|---|"]
    module: list[Attack] = CATEGORIES[category].ATTACKS
    lines += [f"| {_cell(attack.name)} | {attack.unsealed or '–'} | {attack.sealed} |" for attack in module]
    return "\n".join([*lines, ""])


def allowed() -> str:
    """What is not promised, and why."""
    lines = ["| what works, sealed too | why it is let be |", "|---|---|"]
    module: list[Attack] = CATEGORIES["not promised"].ATTACKS
    lines += [f"| {_cell(attack.name)} | {_cell(attack.because)} |" for attack in module]
    return "\n".join([*lines, ""])


def guesses() -> str:
    """Each way to guess, and whether it tells of a table without a fence and of fenced ones."""
    lines = [f"| way to guess | {' | '.join(target.title for target in TARGETS)} |", "|---" * (len(TARGETS) + 1) + "|"]
    outcomes = " | ".join(Outcome.HOLDS if target.fenced else Outcome.WORKS for target in TARGETS)
    lines += [f"| {_cell(way.name)} | {outcomes} |" for way in WAYS]
    return "\n".join([*lines, ""])


def plants() -> str:
    """What may be left on a connection."""
    lines = ["| left behind | connection wiped | not wiped |", "|---|---|---|"]
    lines += [
        f"| {_cell(plant.name)}{' (where TEMPORARY is open)' if plant.needs else ''} | {Outcome.HOLDS} | {Outcome.WORKS} |"
        for plant in PLANTS
    ]
    return "\n".join([*lines, ""])


def traces() -> str:
    """What one session shows of another."""
    lines = ["| what is told | where | why it is let be |", "|---|---|---|"]
    for trace in TRACES:
        where = "beside" if trace.beside else "afterwards"
        version = f", from PostgreSQL {trace.since} on" if trace.since > 15 else ""
        lines += [f"| {_cell(trace.name)} | {where}{version} | {_cell(trace.because)} |"]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


TABLES = {"guessing": guesses, "poisoning": plants, "traces": traces, "not promised": allowed}


@pytest.mark.parametrize("name", PAGES)
def test_pages(name: str) -> None:
    """Every table is current."""
    page = ROOT / "docs" / name
    current = page.read_text(encoding="utf-8")
    for table in PAGES[name]:
        current = replaced(current, table, TABLES[table]() if table in TABLES else attacks(table))
    if os.environ.get("UPDATE_DOCS"):
        page.write_text(current, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == current


def test_every_category_has_its_table() -> None:
    """No attack is left untold."""
    told = [table for tables in PAGES.values() for table in tables]
    assert sorted(told) == sorted({*TABLES, *CATEGORIES})


def test_reasons() -> None:
    """What works although it is sealed stands under “not promised”, with its reason, and nowhere else."""
    for category, module in CATEGORIES.items():
        for attack in module.ATTACKS:
            assert (attack.sealed is Outcome.WORKS) == (category == "not promised") == bool(attack.because), attack.name
