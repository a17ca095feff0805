"""``python -m bench [NAME …]`` runs the benchmarks, or those that are named, and records them in bench/latest.json."""

import argparse
import ast
import importlib
import sys
from functools import partial
from pathlib import Path

from bench import compare, record
from bench.measuring import telling
from userscope.cli._progress import progress


def parts() -> dict[str, str]:
    """Every module of this folder that has a ``main()``: its first sentence by its name. None is imported for that."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        if path.stem != "compare" and any(
            isinstance(node, ast.FunctionDef) and node.name == "main" for node in module.body
        ):
            found[path.stem] = (ast.get_docstring(module) or "").splitlines()[0]
    return found


def main() -> None:
    """Run or list them; ``compare A B`` has options of its own."""
    if sys.argv[1:2] == ["compare"]:
        compare.main(sys.argv[2:])
        return
    known = parts()
    parser = argparse.ArgumentParser(prog="python -m bench", description="Each figure compares two things of one run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(known)}; all without one")
    parser.add_argument("--list", action="store_true", help="tell what each is about")
    parser.add_argument("--quick", action="store_true", help="few rounds and small tables: shows that it works")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(known):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    for name in chosen.names or known:
        if chosen.list:
            print(f"{name:<12} {known[name]}")
            continue
        print(f"== {name}: {known[name]}", flush=True)
        busy = record.busy(record.load())
        with progress(name) as tell:
            telling.set(tell)
            part = importlib.import_module(f"bench.{name}").main
            figures = record.run(name, partial(part, quick=chosen.quick), quick=chosen.quick)
        print("\n".join(filter(None, (figures.table(), busy))), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
