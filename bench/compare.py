"""Two commits of userscope in one run, by turns: ``python -m bench compare A B`` shows what became slower.

Each commit migrates a server of its own, by its own scripts, and reads it by its own code; both use what is installed
here. ``.`` is the source as it stands.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.progress import track

from bench import record
from bench.measuring import Times, take_turns
from bench.operations import OPERATIONS

ROOT = Path(__file__).parents[1]
WORKER = Path(__file__).parent / "_compared.py"


def source(revision: str, folder: Path) -> Path:
    """Return the tree of a commit, unpacked into ``folder``, or this one for ``.``. Raises SystemExit for no commit."""
    if revision == ".":
        return ROOT
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", revision, "src", "bench", "schema", "policies"]
    packed = subprocess.run(command, capture_output=True, check=False)
    if packed.returncode:
        raise SystemExit(f"ERROR:  {revision} cannot be measured\nDETAIL:  {packed.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


class Side:
    """A process that measures one commit."""

    def __init__(self, process: "subprocess.Popen[str]", asked: IO[str], answers: IO[str]) -> None:
        self._process, self._asked, self._answers = process, asked, answers
        self.kinds: list[str] = json.loads(self._answer())

    def measure(self, kind: str) -> float:
        """Have it done once; return what it took, in seconds."""
        self._asked.write(f"{kind}\n")
        self._asked.flush()
        return float(self._answer())

    def _answer(self) -> str:
        line = self._answers.readline()
        if not line:
            raise SystemExit(f"ERROR:  a side ended early, exit code {self._process.wait()}")
        return line


@contextmanager
def side(revision: str, *, quick: bool = False) -> Iterator[Side]:
    """Start the process of a commit, which makes and fills its server first."""
    with tempfile.TemporaryDirectory() as folder:
        tree = source(revision, Path(folder))
        environment = {**os.environ, "PYTHONPATH": f"{tree / 'src'}:{tree}", "PYTHONSAFEPATH": "1"}
        command = [sys.executable, str(WORKER), *(["--quick"] if quick else [])]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=tree, env=environment, text=True) as process:
            if not process.stdin or not process.stdout:
                raise RuntimeError("it has no pipes")
            try:
                yield Side(process, process.stdin, process.stdout)
            finally:
                process.stdin.close()


def compare(one: str, other: str, *, rounds: int, quick: bool = False) -> dict[str, Times]:
    """Measure both by turns; return the times of each kind that both know."""
    with ExitStack() as stack:
        sides = {
            name: stack.enter_context(side(revision, quick=quick)) for name, revision in (("A", one), ("B", other))
        }
        kinds = [kind for kind in sides["A"].kinds if kind in sides["B"].kinds]
        return {
            kind: take_turns({name: lambda each=each: each.measure(kind) for name, each in sides.items()}, rounds)  # type: ignore[misc]  # noqa: B023  # called at once
            for kind in track(kinds, "Measuring", console=Console(stderr=True))
        }


def added(found: dict[str, Times], way: str) -> float:
    """What ``way`` adds to a WHERE by hand in B, as a share of what it adds in A: the median of all operations."""
    shares = []
    for operation in OPERATIONS:
        more = {
            name: found[f"{operation.name}, {way}"].median(name) - found[f"{operation.name}, where"].median(name)
            for name in ("A", "B")
        }
        shares.append(more["B"] / more["A"])
    return statistics.median(shares)


def main(words: Sequence[str]) -> None:
    """Print what each commit takes, and B as a multiple of A."""
    parser = argparse.ArgumentParser(prog="python -m bench compare", description="Two commits, by turns, in one run.")
    parser.add_argument("A", help="a commit, or . for the source as it stands")
    parser.add_argument("B", help="another")
    parser.add_argument("--rounds", type=int, default=41, help="how often each is measured (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="few rounds and small tables: shows that it works")
    chosen = parser.parse_args(words)
    busy = record.busy(record.load())
    found = compare(chosen.A, chosen.B, rounds=3 if chosen.quick else chosen.rounds, quick=chosen.quick)
    print(f"{'':<24}{'A, µs':>10}{'B, µs':>10}{'B / A':>8}")
    for kind, times in found.items():
        a, b = (times.median(name) * 1e6 for name in ("A", "B"))
        print(f"{kind:<24}{a:>10.0f}{b:>10.0f}{times.ratio('B', 'A'):>8.2f}")
    for way in ("ours", "sealed"):
        print(f"What {way} adds to a WHERE in the server: {added(found, way):.2f} of what it added in A (median)")
    if busy:
        print(busy)
