"""What is published works without the checkout: the wheel migrates, audits and serves; the sdist lacks no file."""

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.clusters import ROOT

SERVE = """
from sqlmodel import select
import userscope
from userscope import Accounts, Database, Todo
with Accounts() as accounts, Database() as db:
    users = [accounts.create(f"{name}@example.com", name=name) for name in ("alice", "bob")]
    with db.session(users[0].id) as session:
        session.add(Todo(title="Buy milk"))
    for user in users:
        with db.reader(user.id) as session:
            print(user.name, [todo.title for todo in session.exec(select(Todo))])
print(userscope.__file__)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel, and the wheel unpacked as pip does it."""
    folder = tmp_path_factory.mktemp("built")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", folder / "site", wheel], check=True)
    return folder


@pytest.mark.breadth
def test_wheel(built: Path, folder: Path) -> None:
    """From an empty folder: two users, two answers, and nothing of it from the checkout."""
    environment = {name: text for name, text in os.environ.items() if not name.endswith("DATABASE_URL")}
    environment["PYTHONPATH"] = str(built / "site")

    def run(*words: str) -> str:
        command = [sys.executable, *words]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    try:
        assert "+ policies:better_auth" in run("-m", "userscope", "migrate")
        assert "Nothing found." in run("-m", "userscope", "audit")
        assert "Found when row-level security is off" in run("-m", "userscope", "audit", "--format", "sarif")
        assert "lockdown" in run(
            "-m", "userscope", "plan", str(built / "site/userscope/projects/distributed/sqitch.plan")
        )
        said = run("-c", SERVE).splitlines()
        assert said == ["alice ['Buy milk']", "bob []", str(built / "site" / "userscope" / "__init__.py")]
    finally:
        run("-m", "userscope", "down", "--delete", "--yes")


def test_sdist(tmp_path: Path) -> None:
    """The source distribution holds every file of the repository but what belongs to git alone; its page is README."""
    code = "from hatchling.build import build_sdist; import sys; print(build_sdist(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, capture_output=True, text=True, check=True)
    with tarfile.open(tmp_path / done.stdout.strip()) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
        page = archive.extractfile(next(name for name in archive.getnames() if name.endswith("/PKG-INFO")))
        assert page is not None
        shown = page.read().decode().partition("\n\n")[2]
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert set(tracked) - found == set()
    within = re.compile(r"\[([^\]]+)\]\((?!\w+:)[^)]*\)")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert within.findall(readme)  # which lead nowhere from a registry's page
    assert shown == within.sub(r"\1", readme)
