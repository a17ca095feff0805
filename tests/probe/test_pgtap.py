"""The suite of pgTAP that a run writes: it holds on an empty copy of the schema, and fails where a hole is."""

from pathlib import Path

import pytest

from tests.clusters import Cluster, run_psql, unavailable
from userscope.probe import run
from userscope.probe.answers import answered
from userscope.probe.render.pgtap import as_pgtap
from userscope.probe.render.report import Report
from userscope.probe.run import Options

PGTAP = Path("/usr/share/postgresql/15/extension/pgtap-core.sql")
HOLE = """
set role shape_owner;
create table public.scores (user_id uuid primary key references auth.users, points int);
alter table public.scores enable row level security;
create policy own on public.scores for select to authenticated using (user_id = auth.uid());
create policy gone on public.scores for delete to authenticated using (true);
grant select, delete on public.scores to authenticated;
"""


@pytest.mark.breadth
def test_suite(platform: Cluster, tmp_path: Path) -> None:
    """What somebody sees is as it was, and the proof is what fails, until the policy is mended."""
    if not PGTAP.exists():
        unavailable("pgTAP is not installed (Debian: apt-get install postgresql-15-pgtap)")
    database = platform.clone("platform", owner="shape_owner")
    url = platform.url("admin", dbname=database.name)
    try:
        with database.superuser_connection() as connection:
            connection.execute(HOLE.encode())
        result = run.probe(url, Options())
        looks = run.looks(result.scene)
        report = Report(
            answered(result.findings, None), result.coverage, run.matrix(result.scene), run.seed(result.scene), looks
        )
        (hole,) = (found for found in report.findings if found.level == "error")
        core = tmp_path / "core.sql"
        core.write_text(f"create schema tap; set search_path = tap;\n{PGTAP.read_text(encoding='utf-8')}")
        run_psql(url, "-f", core)
        suite = tmp_path / "suite.sql"
        suite.write_text(f"set search_path = public, tap;\n{as_pgtap(report)}", encoding="utf-8")

        def outcomes() -> list[str]:
            said = run_psql(url, "-tA", "-f", suite)
            return [line for line in said.splitlines() if line.startswith(("ok", "not ok"))]

        assert hole.id == "deletes:public.scores"
        said = outcomes()
        assert len(said) == len(looks) + 1
        failed = f"not ok {len(said)} - public.scores: not that Alice (authenticated) deletes Bob's row"
        assert [line for line in said if line.startswith("not ok")] == [failed]
        with database.superuser_connection() as connection:
            connection.execute("alter policy gone on public.scores using (user_id = auth.uid())")
        assert all(line.startswith("ok") for line in outcomes())
        with database.superuser_connection() as connection:
            connection.execute("alter policy own on public.scores using (true)")
        changed = [line for line in outcomes() if line.startswith("not ok")]
        assert any("public.scores: Alice (authenticated) sees own rows" in line for line in changed)
    finally:
        database.drop()
