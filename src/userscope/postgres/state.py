"""The embedded server's state file: how to connect to it, passwords included, for its owner alone."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from userscope.errors import LocalServerError
from userscope.postgres import origin
from userscope.postgres.url import EMBEDDED, ConnectionURL

_ROOT_STATE = Path("/var/lib")


@dataclass(frozen=True)
class ServerState:
    """What ``server.json`` tells: the folder of the socket, and each login's user and password by its word."""

    host: str
    logins: Mapping[str, Mapping[str, str]] = field(repr=False)
    port: int = 5432
    dbname: str = "app"

    @staticmethod
    def file(folder: Path) -> Path:
        """Where it lies in a server's folder."""
        return folder / "server.json"

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read it; None where there is none.

        Raises LocalServerError where it is damaged, another user's, or not made here.
        """
        path = cls.file(folder)
        try:
            text = path.read_text(encoding="utf-8")
            origin.refuse_foreign(folder)
            told = json.loads(text)
            if told["host"] and not told["host"].startswith("/"):
                raise damaged(path)
            logins = {
                word: {name: str(login[name]) for name in ("user", "password")}
                for word, login in told["logins"].items()
            }
            return cls(str(told["host"]), logins, int(told["port"]), str(told["dbname"]))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError:
            raise LocalServerError(
                f'the embedded server in "{folder}" belongs to another user',
                hint="Run as the user who made it, or set USERSCOPE_HOME to a folder of your own.",
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise damaged(path) from None

    def url(self, login: str) -> ConnectionURL:
        """Return how to connect as one of the logins."""
        where = {"host": self.host, "port": str(self.port), "dbname": self.dbname}
        return ConnectionURL(EMBEDDED, {**where, **self.logins[login]})

    def text(self) -> str:
        """Return what to write."""
        return json.dumps(asdict(self), indent=2) + "\n"


def damaged(path: Path) -> LocalServerError:
    """Return what is told of a state file that cannot be used, or is gone while its server is not."""
    return LocalServerError(
        f'"{path}" is missing or damaged',
        detail="It holds the only copy of the server's passwords.",
        hint='Run "userscope down --delete" to remove the server with its data, and begin again.',
    )


def fallback_home(home: Path) -> Path:
    """Return the folder that stands in for ``home`` where no server can live there: private, and always the same."""
    if os.geteuid() == 0:
        base = _ROOT_STATE
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser())
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return base / "userscope" / f"{home.parent.name or 'root'}-{digest}"


def embedded_url(home: Path, login: str) -> ConnectionURL:
    """Return the URL of the embedded server of ``home``. Raises LocalServerError where there is none yet."""
    for folder in (home, fallback_home(home)):
        if state := ServerState.read(folder):
            return state.url(login)
    raise LocalServerError(
        "there is no embedded server yet",
        detail=f'No database URL is set, and "{home}" holds no server.',
        hint='Run "userscope migrate" (or "make migrate"), or set DATABASE_URL.',
    )
