"""docs/workers.md: every file of the page is imported and does its work, in the worker that it is written for."""

import asyncio
import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker
from sqlmodel import select

from tests.clusters import ROOT
from tests.docs import console
from userscope import Todo
from userscope.testing import Sandbox

FILES = console.files((ROOT / "docs" / "workers.md").read_text(encoding="utf-8"))


@dataclass
class Page:
    """The page's files in a folder, and two people with todos."""

    folder: Path
    sandbox: Sandbox
    alice: UUID
    bob: UUID

    def open(self) -> tuple[int, int]:
        """How many todos each has still to do."""
        found = []
        for user in (self.alice, self.bob):
            with self.sandbox.reading_as(user) as session:
                found.append(sum(not todo.completed for todo in session.exec(select(Todo))))
        return found[0], found[1]

    def run(self, name: str) -> str:
        """Run a script of the page for both."""
        command = [sys.executable, name, str(self.alice), str(self.bob)]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.fixture
def page(userscope: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Alice has two todos, Bob one; the environment is a worker's."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("DATABASE_URL", userscope.settings.url("service").text())
    monkeypatch.setenv("SECRET_KEY", "a key for a test")
    monkeypatch.syspath_prepend(tmp_path)
    alice, bob = userscope.user("Alice"), userscope.user("Bob")
    for user, titles in ((alice, ("a1", "a2")), (bob, ("b1",))):
        with userscope.acting_as(user) as session:
            session.add_all([Todo(title=title) for title in titles])
    yield Page(tmp_path, userscope, alice.id, bob.id)
    if jobs := sys.modules.get("jobs"):
        jobs.db.close()
    for name in FILES:
        sys.modules.pop(name.removesuffix(".py"), None)


@pytest.fixture
def load(page: Page) -> Callable[[str], ModuleType]:
    """Imports a file of the page."""
    del page
    return importlib.import_module


def test_all_are_run() -> None:
    """Each file of the page has its test here."""
    text = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in FILES if name.removesuffix(".py") not in text] == []


@pytest.mark.breadth
def test_celery(page: Page, load: Callable[[str], Any]) -> None:
    """A task acts for the user it is told."""
    tasks = load("celery_jobs")
    assert tasks.open_todos.apply(args=[str(page.alice)]).get() == 2
    tasks.finish_all.apply(args=[str(page.bob)]).get()
    assert page.open() == (2, 0)


@pytest.mark.breadth
def test_celery_prefork(page: Page, load: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """So it does in a real worker, whose processes are forked; what is refused reaches who waits for the result."""
    monkeypatch.setenv("BROKER_URL", "filesystem://")
    monkeypatch.setenv("RESULT_BACKEND", (page.folder / "results").as_uri())
    (page.folder / "results").mkdir()
    tasks = load("celery_jobs")
    queue = str(page.folder / "queue")
    transport = {"data_folder_in": queue, "data_folder_out": queue, "control_folder": f"{queue}/control"}
    configured = f"from celery_jobs import app\n\napp.conf.broker_transport_options = {transport!r}\n"
    (page.folder / "configured.py").write_text(configured, encoding="utf-8")
    (page.folder / "queue").mkdir()
    tasks.app.conf.broker_transport_options = transport
    command = [sys.executable, "-m", "celery", "-A", "configured", "worker", "-c", "2", "-l", "warning"]
    options = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    worker = subprocess.Popen([*command, *options], cwd=page.folder, env={**os.environ, "C_FORCE_ROOT": "1"})
    try:
        sent = [tasks.open_todos.delay(str(user)) for user in (page.alice, page.bob) * 4]
        assert [one.get(timeout=120) for one in sent] == [2, 1] * 4
        with pytest.raises(Exception, match="InvalidUserId"):  # as JSON tells it
            tasks.open_todos.delay("nobody").get(timeout=120)
    finally:
        worker.terminate()
        worker.wait(60)


def test_dramatiq(page: Page, load: Callable[[str], Any]) -> None:
    """An actor does, in a worker's thread."""
    broker = StubBroker()
    dramatiq.set_broker(broker)
    actor = load("dramatiq_jobs").finish_all
    worker = dramatiq.Worker(broker, worker_timeout=100, worker_threads=2)
    worker.start()
    actor.send(str(page.alice))
    broker.join(actor.queue_name, fail_fast=True, timeout=60_000)
    worker.stop()
    assert page.open() == (0, 1)


def test_arq(page: Page, load: Callable[[str], Any]) -> None:
    """A coroutine does, between its worker's start and end."""
    settings = load("arq_jobs").WorkerSettings

    async def work() -> None:
        context: dict[str, Any] = {}
        await settings.on_startup(context)
        await settings.functions[0](context, str(page.alice))
        await settings.on_shutdown(context)

    asyncio.run(work())
    assert page.open() == (0, 1)


def test_flask(page: Page, load: Callable[[str], Any]) -> None:
    """A route does for who is signed in; nobody is answered 401."""
    client = load("flask_app").app.test_client()
    assert (client.get("/todos").status_code, client.get("/todos").json) == (401, {"error": "MissingUserId"})
    with client.session_transaction() as session:
        session["user_id"] = str(page.bob)
    assert client.get("/todos").json == ["b1"]


@pytest.mark.breadth
def test_multiprocessing(page: Page) -> None:
    """Processes of a pool do."""
    assert page.run("parallel.py") == "3\n"


@pytest.mark.breadth
def test_script(page: Page) -> None:
    """Tasks of a script do, at once."""
    assert page.run("tidy.py") in {"[['a1', 'a2'], ['b1']]\n", "[['a2', 'a1'], ['b1']]\n"}
