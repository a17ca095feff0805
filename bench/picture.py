"""The picture of docs/performance.md: what a page of todos takes, and what becomes of it as the table grows."""

from collections.abc import Iterator
from html import escape
from math import ceil
from pathlib import Path
from typing import Any

from bench.growth import SIZES
from bench.operations import OPERATIONS
from bench.ways import OURS, WAYS, in_words
from tests.docs.pictures import WIDTH, svg

_LEFT, _RIGHT = 310, WIDTH - 80
_ROW, _HEIGHT = 20, 220
_COLOURS = ("#4a86d8", "#c96a1b", "#2f9e62", "#d05252", "#9a6fd0", "#a07a45", "#c9589a")


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw it; the same figures make the same file."""
    bars = list(_bars(found["medians"]))
    top = 96 + len(WAYS) * _ROW
    title = "What a page of todos takes, and what becomes of it as the table grows"
    path.write_text(svg(title, top + _HEIGHT + 100, [*bars, *_lines(found["ratios"], top + 40)]), encoding="utf-8")


def _bars(medians: dict[str, float]) -> Iterator[str]:
    yield _text(20, 32, "A user's 20 todos, 5 ms from the server: milliseconds, the median")
    longest = max(medians[f"reads.5ms.{way}"] for way in WAYS)
    for row, way in enumerate(WAYS):
        took, y = medians[f"reads.5ms.{way}"], 48 + row * _ROW
        long = (_RIGHT - _LEFT) * took / longest
        yield _text(_LEFT - 8, y + 12, in_words(way), "s", "end")
        yield f'<rect class="{"b" if way in OURS else "o"}" x="{_LEFT}" y="{y}" width="{long:.0f}" height="15"/>'
        yield _text(_LEFT + long + 6, y + 12, f"{took / 1000:.1f}", "s")
    y = 48 + len(WAYS) * _ROW + 6
    for x, kind, words in ((_LEFT, "b", "userscope"), (_LEFT + 110, "o", "what one would take instead")):
        yield f'<rect class="{kind}" x="{x}" y="{y}" width="12" height="12"/>' + _text(x + 18, y + 11, words, "s")


def _lines(ratios: dict[str, float], top: int) -> Iterator[str]:
    yield _text(20, top - 8, "As the table grows: how many times as long as with 10,000 todos")
    series = {
        name: [1.0, *(ratios[f"growth.{name}.{size}/{SIZES[0]}"] for size in SIZES[1:])]
        for name in (operation.name for operation in OPERATIONS)
    }
    most = ceil(2 * max(map(max, series.values()))) / 2
    left, right, bottom = 70, _RIGHT - 110, top + 10 + _HEIGHT

    def x_of(column: int) -> float:
        return left + (right - left) * column / (len(SIZES) - 1)

    def y_of(ratio: float) -> float:
        return bottom - _HEIGHT * ratio / most

    for half in range(int(2 * most) + 1):
        y = y_of(half / 2)
        yield f'<path class="g" d="M{left} {y:.0f}H{right}"/>' + _text(left - 8, y + 4, f"{half / 2:.1f} ×", "s", "end")
    for column, size in enumerate(SIZES):
        yield _text(x_of(column), bottom + 18, f"{size:,}", "s", "middle")
    yield _text((left + right) / 2, bottom + 36, "todos in the table", "s", "middle")
    for row, ((name, values), colour) in enumerate(zip(series.items(), _COLOURS, strict=True)):
        points = " ".join(f"{x_of(column):.0f},{y_of(value):.0f}" for column, value in enumerate(values))
        y = top + 20 + row * _ROW
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield f'<path d="M{right + 30} {y}h24" stroke="{colour}" stroke-width="2"/>' + _text(
            right + 60, y + 4, name, "s"
        )


def _text(x: float, y: float, words: str, kind: str = "t", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(words)}</text>'
