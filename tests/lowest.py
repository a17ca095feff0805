"""Prints the lowest version of each dependency that pyproject.toml allows, as pip's constraints: for "make lowest"."""

import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path


def lowest(text: str) -> Iterator[str]:
    """Yield ``name==version`` for each bound of a pyproject.toml. Raises ValueError for a dependency without one."""
    project = tomllib.loads(text)["project"]
    extras = chain.from_iterable(project["optional-dependencies"].values())
    for wanted in sorted({*project["dependencies"], *extras}):
        bound = re.match(r"([\w.-]+)(?:\[[\w,]+\])?(?:[>=]=([\w.]+))?", wanted)
        if bound is None or (bound[1] != project["name"] and not bound[2]):
            raise ValueError(f"{wanted} has no lower bound")
        if bound[1] != project["name"]:
            yield f"{bound[1]}=={bound[2]}"


if __name__ == "__main__":
    print(*lowest((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")), sep="\n")
