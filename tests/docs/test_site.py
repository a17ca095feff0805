"""The site: every page is in it, a link that leads nowhere fails it, and its pages load nothing from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.site import build
from tests.clusters import ROOT


def built(folder: Path, page: str, *more: str) -> subprocess.CompletedProcess[str]:
    """Build a site of one page, as ``make docs`` does; in a process of its own, whose loggers Sphinx may have."""
    (folder / "index.md").write_text(page, encoding="utf-8")
    words = [*build.STRICTLY, "-c", str(ROOT / "docs" / "site"), str(folder), str(folder / "out")]
    command = [sys.executable, "-m", "sphinx", *words, *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.breadth
@pytest.mark.parametrize(
    ("page", "code"),
    [("# A\n\n## b c\n\n[there](#b-c)\n", 0), ("# A\n\n[nowhere](#b-c)\n", 1), ("# A\n\n[nowhere](b.md)\n", 1)],
)
def test_strict(tmp_path: Path, page: str, code: int) -> None:
    """A heading is found by its name; one that is not there, or a page, fails the site."""
    done = built(tmp_path, page)
    assert done.returncode == code, done.stderr
    if not code:
        html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
        assert re.findall(r'(?:src|<link[^>]* href)="(?:https?:)?//[^"]*"', html) == []
        assert "theme-toggle" in html  # dark and light
        assert (tmp_path / "out" / "searchindex.js").exists()


def test_contents() -> None:
    """Each page stands in the table of contents once, and links out of docs/ became their text."""
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")}
    listed = [line for part in build.contents() for line in part.splitlines() if line in pages]
    assert sorted(listed) == sorted(pages)
    index = build.staged(ROOT / "README.md")
    assert "[docs/why.md](why.md)" in index
    assert "](schema)" not in index
    assert "`schema/`" in index
