"""How a run of migrations is told: as Sqitch's ledger, or as JSON."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from userscope.cli._paint import painted
from userscope.errors import UserscopeError

if TYPE_CHECKING:
    from userscope.migrations.engine import Event


class Interrupted(UserscopeError):
    """Ctrl-C or SIGTERM ended a run; it says how things stand."""

    exit_code = 130


class Ledger:
    """Prints events as Sqitch does; with ``as_json`` only warnings, to standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.seconds: dict[str, float] = {}
        self._line = ""  # what is written and not ended yet

    def remark(self, text: str) -> None:
        """Print a line of its own."""
        if not self.as_json:
            print(text, flush=True)

    def show(self, event: "Event") -> None:
        """Print what the runner reports."""
        if event.kind == "warning":
            if self._line and not self.as_json:
                print(flush=True)
            self._line = ""
            typer.echo(event.text, err=True)
        elif event.kind == "remark":
            self.remark(event.text)
        elif event.kind == "start":
            self._start(event)
        else:
            self._end(event)

    def _start(self, event: "Event") -> None:
        self._line = f"  {event.sign} {event.text} ..{'.' * (event.width - len(event.text))} "
        if not self.as_json:
            print(self._line, end="", flush=True)

    def _end(self, event: "Event") -> None:
        self.seconds[event.text] = round(event.seconds, 4)
        if self.as_json:
            return
        if not self._line:  # a warning stands between
            self._start(event)
        said = [f"{event.seconds * 1000:.0f} ms" if event.seconds else "", event.remark]
        time = f" ({', '.join(filter(None, said))})" if any(said) else ""
        word = painted("ok", "green", sys.stdout) if event.kind == "ok" else painted("not ok", "red", sys.stdout)
        print(f"{word}{time}", flush=True)
        self._line = ""


@contextmanager
def told_when_interrupted() -> Iterator[None]:
    """Say how things stand after Ctrl-C or SIGTERM, where Typer says nothing."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(
            "interrupted",
            detail="What the ledger calls ok stays; the transaction that was under way was rolled back.",
            hint="Run the command again to go on.",
        ) from None


def print_json(value: Any) -> None:
    """Print what a program reads."""
    print(json.dumps(value, ensure_ascii=False, indent=2))
