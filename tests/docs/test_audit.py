"""docs/audit.md: its workflow is one, and the commands in it judge a database as it says."""

import shlex
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # it has no types of its own

from tests.cli.runner import Runner
from tests.clusters import ROOT, Database
from tests.docs import console

PAGE = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")


@pytest.mark.breadth
def test_workflow(any_database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """GitHub's workflow is read as one; its audits run with the page's baseline, and tell what went wrong."""
    (text,) = console.blocks(PAGE, "yaml")
    workflow = yaml.safe_load(text)
    assert set(workflow) == {"name", True, "permissions", "jobs"}, "YAML reads on: as true, and GitHub does not mind"
    (job,) = workflow["jobs"].values()
    assert all(("run" in step) != ("uses" in step) for step in job["steps"])
    (tmp_path / "audit.toml").write_text(next(iter(console.blocks(PAGE, "toml"))), encoding="utf-8")
    userscope = Runner(tmp_path, capfd, ADMIN_DATABASE_URL=any_database.url().text())
    runs = [shlex.split(step["run"]) for step in job["steps"] if "audit" in step.get("run", "")]
    assert len(runs) == 2
    *writing, into, file = runs[0][1:]
    assert into == ">"
    assert {"sarif_file": file} in [step.get("with") for step in job["steps"]]
    with any_database.alone():
        assert "what is accepted of policy_open is not found any more" in userscope(*writing).stdout
        told = userscope(*runs[1][1:], code=1).stdout
    assert told.startswith("::warning title=baseline%3A policy all_news on app.news::what is accepted of policy_open ")
