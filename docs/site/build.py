"""Build the site out of README.md and docs/*.md, which stay plain Markdown: ``make docs``.

Strictly: a link to a page or heading that is not there, and a page that nothing leads to, fail it. Nothing is fetched.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

STRICTLY = ("--fail-on-warning", "--keep-going", "--nitpicky", "--quiet", "--builder", "dirhtml")

_GROUP = re.compile(r"^\| \*\*(.+)\*\* \| \|\n((?:\| \[.*\n)+)", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!\w+:|#)([^)\s]+)\)")


def stage(folder: Path) -> None:
    """Write the pages as Sphinx reads them: what a link names outside of docs/ becomes its text alone."""
    for path in DOCS.iterdir():
        if path.suffix == ".md":
            (folder / path.name).write_text(staged(path), encoding="utf-8")
        elif path.is_file():
            shutil.copy(path, folder)
    index = staged(ROOT / "README.md")
    (folder / "index.md").write_text(f"{index}\n{''.join(contents())}", encoding="utf-8")


def staged(page: Path) -> str:
    """Return a page with its links as the site has them."""

    def linked(match: re.Match[str]) -> str:
        text, target = match.groups()
        name, hash_, anchor = target.partition("#")
        found = (page.parent / name).resolve()
        return f"[{text}]({found.name}{hash_}{anchor})" if found.parent == DOCS and found.is_file() else text

    return _LINK.sub(linked, page.read_text(encoding="utf-8")).replace("```mermaid\n", "```text\n")


def contents() -> Iterator[str]:
    """Write the groups of README's last table, in its order of reading, as Sphinx's hidden tables of contents."""
    for title, rows in _GROUP.findall((ROOT / "README.md").read_text(encoding="utf-8")):
        names = "\n".join(re.findall(r"^\| \[docs/(.+?)\.md\]", rows, re.MULTILINE))
        yield f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{names}\n```\n"


def main() -> int:
    """Build into build/docs, anew."""
    from sphinx.cmd.build import build_main  # takes a second, which those have no use for who only ask for the pages

    build = ROOT / "build"
    source = build / "docs-source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.rmtree(build / "docs", ignore_errors=True)
    source.mkdir(parents=True)
    stage(source)
    words = [*STRICTLY, "--conf-dir", os.fspath(Path(__file__).parent), "--doctree-dir", os.fspath(build / "doctrees")]
    code = build_main([*words, os.fspath(source), os.fspath(build / "docs")])
    if not code:
        print(f"{build / 'docs' / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
