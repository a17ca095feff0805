"""docs/settings.md: every setting has its row, with the default that it has in the code."""

import re

import pytest

from tests.clusters import ROOT
from userscope.settings import Settings

PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\w+)` \| ([^|]*?) *\| ", PAGE, re.MULTILINE))


def test_names() -> None:
    """Nothing is left out, and nothing is told of that there is not."""
    assert sorted(ROWS) == sorted(name.upper() for name in Settings.model_fields)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_defaults(name: str) -> None:
    """What holds where a variable is not set, written as it would be set; words where that is another one's value."""
    default = Settings.model_fields[name].default
    shown = ROWS[name.upper()]
    if default is None:
        assert not re.fullmatch(r"`[^`]+`", shown)
    else:
        assert shown == f"`{str(default).lower() if isinstance(default, bool) else default}`"
