"""The picture of docs/performance.md: what a page of todos takes, and what becomes of it as the table grows."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt

from bench.operations import OPERATIONS
from bench.ways import OURS, WAYS

mpl.use("svg")

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
_OURS, _THEIRS = "#1f6feb", "#b8bfc8"


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw it; the same figures make the same file."""
    with mpl.rc_context():
        mpl.rcParams["svg.hashsalt"], mpl.rcParams["font.size"] = "userscope", 9
        mpl.rcParams["svg.fonttype"] = "none"  # text stays text
        mpl.rcParams["axes.spines.top"] = mpl.rcParams["axes.spines.right"] = False
        figure, (bars, lines) = plt.subplots(1, 2, figsize=(11, 4.6), width_ratios=(3, 2), layout="constrained")
        ways = [way for way in reversed(WAYS) if f"reads.5ms.{way}" in found["medians"]]
        names = [WAYS[way].replace("*", "").replace("`", "") for way in ways]
        values = [found["medians"][f"reads.5ms.{way}"] / 1000 for way in ways]
        bars.barh(names, values, color=[_OURS if way in OURS else _THEIRS for way in ways])
        bars.set_title("A user's 20 todos, 5 ms from the server: milliseconds", loc="left")
        for operation in OPERATIONS:
            key = f"growth.{operation.name}"
            ratios = [1.0, *(found["ratios"][f"{key}.{size}/{SIZES[0]}"] for size in SIZES[1:])]
            lines.plot(SIZES, ratios, marker="o", markersize=3, label=operation.name)
        lines.set_xscale("log")
        lines.set_ylim(bottom=0)
        lines.set_xticks(SIZES, [f"{size:,}" for size in SIZES], rotation=20)
        lines.set_title("As the table grows: × the time at 10,000", loc="left")
        lines.legend(frameon=False, ncols=2)
        figure.savefig(path, metadata={"Date": None, "Creator": None})
        plt.close(figure)
