"""``make example`` without make: all of it in a process of its own, on a server of its own."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.better_auth.people import Browser
from tests.clusters import ROOT
from userscope.local.server import Server

_COMMAND = [sys.executable, "-m", "examples.todo_api"]


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a newcomer's shell has: no URL of a database."""
    kept = {name: text for name, text in os.environ.items() if "DATABASE" not in name and not name.startswith("PG")}
    return {**kept, "USERSCOPE_HOME": str(home), "PORT": "0", **more}


def fail(home: Path, **more: str) -> tuple[int, str]:
    """Run it where it cannot run: its exit code, and what it says."""
    done = subprocess.run(
        _COMMAND, cwd=ROOT, env=environment(home, **more), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


@dataclass
class Example:
    """All of it, while it runs."""

    page: str
    auth: str
    home: Path
    process: subprocess.Popen[str]
    said: list[str]
    """The lines that it has printed so far."""

    def person(self) -> "Person":
        """Somebody with a browser, who has not signed up yet; the caller closes it."""
        return Person(self)

    def mail(self, address: str, subject: str = "") -> str:
        """Wait for a mail to this address, of a subject that begins so; return what it links to."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for line in list(self.said):
                if line.startswith(f"A mail to {address}: {subject}"):
                    return line.rsplit(": ", 1)[1].strip()
            time.sleep(0.05)
        raise AssertionError(self.said)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the superuser sees, or does."""
        with psycopg.connect(Server(self.home).url("admin").conninfo(), autocommit=True) as superuser:
            cursor = superuser.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description is not None else []


class Person(Browser):
    """A browser at Better Auth, which can also talk to the service."""

    def __init__(self, example: Example) -> None:
        super().__init__(example.auth, example.page)
        self._page = example.page

    def ask(self, token: str | None, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask the service, with this token or with none."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.request(method, f"{self._page}{path}", headers=headers, timeout=60, **more)

    def titles(self, token: str) -> list[str]:
        """The titles of all todos that the service shows for a token."""
        answer = self.ask(token, "GET", "/todos")
        assert answer.status_code == 200, answer.text
        return [item["title"] for item in answer.json()["items"]]

    def add(self, token: str, title: str) -> str:
        """Add a todo and return its id."""
        answer = self.ask(token, "POST", "/todos", json={"title": title})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


@contextmanager
def running(home: Path) -> Iterator[Example]:
    """Run it until the end of the block, unless it was stopped by then."""
    said: list[str] = []
    with subprocess.Popen(
        _COMMAND, cwd=ROOT, env=environment(home), stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stdout
        try:
            for line in process.stdout:
                said.append(line)
                if line.startswith("The page:"):
                    break
            found = dict(re.findall(r"^(Better Auth|The page): +(\S+)", "".join(said), re.MULTILINE))
            assert set(found) == {"Better Auth", "The page"}, said
            threading.Thread(target=said.extend, args=(process.stdout,), daemon=True).start()
            yield Example(found["The page"], found["Better Auth"], home, process, said)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait()
