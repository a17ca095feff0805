"""``python -m bench [NAME …]`` runs the benchmarks, or those that are named; ``--list`` tells which there are."""

import importlib
import sys
from pathlib import Path
from types import ModuleType


def modules() -> dict[str, ModuleType]:
    """Every module of this folder with a ``main()``, by its name."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    found = {name: importlib.import_module(f"bench.{name}") for name in names}
    return {name: module for name, module in found.items() if hasattr(module, "main")}


def main() -> int:
    """Run or list them."""
    known = modules()
    wanted = sys.argv[1:]
    if wanted == ["--list"]:
        for name, module in known.items():
            print(f"{name:<14} {(module.__doc__ or '').splitlines()[0]}")
        return 0
    if unknown := set(wanted) - set(known):
        print(f"there is no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    for name in wanted or known:
        print(f"== {name}: {(known[name].__doc__ or '').splitlines()[0]}", flush=True)
        known[name].main()
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
