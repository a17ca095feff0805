"""What names tell: the same in psql and in Python."""

import re

from tests.clusters import ROOT
from userscope.audit import names


def test_migration_tools() -> None:
    """The tables of migration tools, of which the judge and the question that psql asks say the same."""
    question = (ROOT / "policies" / "audit" / "rls_disabled.sql").read_text(encoding="utf-8")
    listed = re.search(r"relname in \(([^)]+)\) as tool", question)
    assert listed
    assert set(re.findall(r"'(\w+)'", listed[1])) == names.MIGRATIONS
