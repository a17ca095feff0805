"""NOTICE credits what was copied, and names everything that is installed along."""

import re
import tomllib
from importlib.metadata import metadata

import pytest

from tests.migrations.conftest import ROOT

NOTICE = (ROOT / "NOTICE").read_text(encoding="utf-8")
FIT = re.compile("MIT|BSD|ISC|Apache|PSF|LGPL|PostgreSQL")


def required() -> set[str]:
    """What pyproject.toml asks for, development and documentation apart."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {
        name: words for name, words in project["optional-dependencies"].items() if name not in ("dev", "docs", "bench")
    }
    words = [*project["dependencies"], *(word for extra in extras.values() for word in extra)]
    return {re.split(r"[\[<>=;]", word)[0] for word in words} - {"userscope"}


@pytest.mark.parametrize("name", sorted(required()))
def test_named(name: str) -> None:
    """Each dependency stands in NOTICE, and has a licence that fits an MIT package."""
    assert re.search(rf"^    .*\b{re.escape(name)}\b", NOTICE, re.MULTILINE | re.IGNORECASE), f"NOTICE lacks {name}"
    found = metadata(name)
    said = " ".join([found.get("License-Expression") or "", *found.get_all("Classifier", [])])
    assert FIT.search(said), said
    assert not re.search(r"\b(A?GPL)", said), said


def test_copied() -> None:
    """The one file with Sqitch's words names their holder, as NOTICE does with the whole licence."""
    registry = (ROOT / "src/userscope/migrations/registry/registry.sql").read_text(encoding="utf-8")
    for text in (registry, NOTICE):
        assert "Copyright (c) 2012-2022 iovation Inc., David E. Wheeler" in text
    assert "The above copyright notice and this permission notice shall be included" in NOTICE
