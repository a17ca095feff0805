"""How a run of migrations is told: as Sqitch's ledger, or as JSON."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
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
        self.locks: list[dict[str, object]] = []
        self._line = ""  # what is written and not ended yet
        self._at = "", 0.0  # what is at work, and since when

    def remark(self, text: str) -> None:
        """Print a line of its own."""
        if not self.as_json:
            print(text, flush=True)

    def show(self, event: "Event") -> None:
        """Print what the runner reports."""
        if event.kind == "warning":
            self._warn(event.text)
        elif event.kind == "remark":
            self.remark(event.text)
        elif event.kind == "lock" and event.lock is not None:
            self.locks.append(event.lock.as_dict())
            self.remark(event.text)
        elif event.kind == "start":
            self._start(event)
        else:
            self._end(event)

    def _warn(self, text: str) -> None:
        if self._line and not self.as_json:
            print(flush=True)
        self._line = ""
        typer.echo(text, err=True)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Say each half minute of a change that takes long that it does; nothing with ``as_json``."""
        from userscope.cli._progress import heartbeat

        if self.as_json:
            yield
            return
        with heartbeat(self._say_it_takes_long):
            yield

    def _say_it_takes_long(self, _: float) -> None:
        change, begin = self._at
        if change:
            self._warn(f"{change} goes on: {monotonic() - begin:.0f} s so far")

    def _start(self, event: "Event") -> None:
        self._at = event.text, monotonic()
        self._line = f"  {event.sign} {event.text} ..{'.' * (event.width - len(event.text))} "
        if not self.as_json:
            print(self._line, end="", flush=True)

    def _end(self, event: "Event") -> None:
        self.seconds[event.text] = round(event.seconds, 4)
        self._at = "", 0.0
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
