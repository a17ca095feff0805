"""A browser that is at the example's page and talks to Better Auth; and the server that it talks to."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import httpx

from examples.todo_api.better_auth import AuthServer
from tests.clusters import Database

PAGE = "http://127.0.0.1:8000"
ISSUER = "https://auth.example"
AUDIENCE = "todo-api"
PASSWORD = "correct horse battery"


def variables(database: Database, secret: str) -> dict[str, str]:
    """What the auth server reads from its environment."""
    return {
        "AUTH_DATABASE_URL": database.url("auth").text(),
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": AUDIENCE,
        "BETTER_AUTH_SECRET": secret,
        "BETTER_AUTH_TRUSTED_ORIGINS": PAGE,
    }


class Running:
    """An auth server that runs, the database behind it, the mails it sent and what it said."""

    def __init__(self, server: AuthServer, database: Database, mails: SimpleQueue[dict[str, str]], log: Path) -> None:
        self.url, self.process = server.url, server.process
        self.database, self.mails, self._log = database, mails, log

    @property
    def log(self) -> str:
        """What it wrote to standard error."""
        return self._log.read_text(encoding="utf-8")

    def mailed(self, subject: str, to: str) -> httpx.URL:
        """The link in the next mail, which is of this subject and to this address."""
        mail = self.mails.get(timeout=30)
        assert (mail["subject"], mail["to"]) == (subject, to)
        return httpx.URL(mail["url"])

    def browser(self) -> "Browser":
        """A browser that nobody has signed in with yet; the caller closes it."""
        return Browser(self.url)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the superuser sees, or does."""
        with self.database.superuser_connection() as superuser:
            cursor = superuser.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description is not None else []


@contextmanager
def auth_server(database: Database, *, secret: str | None = None, **more: str) -> Iterator[Running]:
    """Run one until the end of the block."""
    mails: SimpleQueue[dict[str, str]] = SimpleQueue()
    with tempfile.NamedTemporaryFile("w", suffix=".log", encoding="utf-8") as log:
        environment = {**variables(database, secret or secrets.token_urlsafe(32)), **more}
        with AuthServer(environment, mail=mails.put, log=log.file) as server:
            yield Running(server, database, mails, Path(log.name))


class Browser(httpx.Client):
    """It keeps cookies and says which page it is at, as browsers do."""

    def __init__(self, url: str, page: str = PAGE) -> None:
        super().__init__(base_url=f"{url}/api/auth", headers={"Origin": page}, timeout=60)

    def sign_up(self, email: str, **more: str) -> httpx.Response:
        """Sign up with PASSWORD; whoever succeeds is signed in."""
        return self.post("/sign-up/email", json={"name": "Ann", "email": email, "password": PASSWORD, **more})

    def signed_up(self, email: str, **more: str) -> str:
        """Sign up, and return the user's id."""
        answer = self.sign_up(email, **more)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["user"]["id"])

    def sign_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        """Sign in with an e-mail address or a username."""
        road, field = ("/sign-in/email", "email") if "@" in name else ("/sign-in/username", "username")
        return self.post(road, json={field: name, "password": password})

    def token(self) -> str:
        """A JWT for services."""
        answer = self.get("/token")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    def session(self) -> dict[str, Any] | None:
        """The session and its user, or None."""
        answer = self.get("/get-session")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] | None = answer.json()
        return found

    def organize(self, call: str, **given: object) -> httpx.Response:
        """Ask the plugin for organizations for something."""
        return self.post(f"/organization/{call}", json=given)

    def founded(self, slug: str) -> str:
        """Make an organization, which this browser is in from then on; return its id."""
        answer = self.organize("create", name=slug, slug=slug)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """The status and Better Auth's code of a refusal."""
    return answer.status_code, str(answer.json().get("code"))
