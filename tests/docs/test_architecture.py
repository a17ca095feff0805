"""docs/architecture.md: its pictures are drawn from what tests hold, and what it says to open is there."""

import os
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from tests.clusters import ROOT
from tests.docs import pictures
from tests.test_imports import FLOORS, SOURCE

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PICTURES: dict[str, Callable[[], str]] = {"floors": pictures.floors, "request": pictures.request}


@pytest.mark.parametrize("name", PICTURES)
def test_current(name: str) -> None:
    """Each picture is drawn anew by UPDATE_DOCS=1, is shown by the page, and says in words what it shows."""
    file = ROOT / "docs" / f"{name}.svg"
    if os.environ.get("UPDATE_DOCS"):
        file.write_text(PICTURES[name](), encoding="utf-8")
    assert file.read_text(encoding="utf-8") == PICTURES[name]()
    assert re.search(rf"!\[[A-Z].{{20,}}\]\({name}\.svg\)", PAGE)


def test_legible() -> None:
    """On a light and on a dark page, words stand out from the plate and from their boxes, as WCAG 2 asks for."""

    def luminance(colour: str) -> float:
        whole = "".join(2 * digit for digit in colour) if len(colour) == 3 else colour
        parts = [int(whole[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    style = re.search(r"<style>(.*)</style>", pictures.floors())
    assert style
    for scheme in style[1].split("@media(prefers-color-scheme:dark)"):
        fills = dict(re.findall(r"(text|\.\w)\{fill:#(\w+)", scheme))
        for words, backs in (("text", ".p.b.d"), (".s", ".p")):
            for back in re.findall(r"\.\w", backs):
                low, high = sorted(luminance(fills[each]) for each in (words, back))
                assert (high + 0.05) / (low + 0.05) >= 4.5, (words, back)


def test_floors() -> None:
    """The picture has each part of the package once, on the floor where imports have it."""
    svg = ElementTree.fromstring(pictures.floors())  # noqa: S314  # our own
    boxes = [each for each in svg.iter() if each.get("text-anchor")]
    by_height: dict[int, list[str]] = {}
    for box in boxes:
        by_height.setdefault(int(str(box.get("y"))), []).append(str(box.text))
    assert [by_height[y] for y in sorted(by_height, reverse=True)] == FLOORS
    there = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {name for names in FLOORS for name in names} == there - {"__init__", "__main__"}


def test_opened() -> None:
    """Every file and folder of the table exists, where it says or in the package."""
    table = PAGE.partition("## To change something")[2]
    for cell in re.findall(r"`([\w./]+?)`", table):
        if "NAME" in cell or cell in ("revert/", "verify/"):
            continue
        assert any((base / cell).exists() for base in (ROOT, SOURCE)), cell
