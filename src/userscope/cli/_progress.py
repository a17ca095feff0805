"""What takes long says on standard error what it is at: in one line at a terminal, each half minute elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

EVERY = 30.0
"""Seconds from one line to the next, where nobody looks."""


@contextmanager
def heartbeat(beat: Callable[[float], None]) -> Iterator[None]:
    """Call ``beat`` with the seconds so far each half minute of the block, however long one step takes."""
    begin, ended = monotonic(), Event()

    def go_on() -> None:
        while not ended.wait(EVERY):
            beat(monotonic() - begin)

    thread = Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def progress(name: str, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Yield what is told of each step. ``quiet`` is for what a program reads: nothing is said."""
    at = "begins"

    def now(step: str) -> None:
        nonlocal at
        at = step

    if quiet:
        yield now
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        begin, spinner = monotonic(), Spinner("dots", name)
        # What is printed meanwhile goes where it was meant to, which may be a file.
        live = Live(spinner, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False)
        with live:
            yield lambda step: spinner.update(text=f"{name}: {step} ({monotonic() - begin:.0f} s)")
    else:
        with heartbeat(lambda seconds: print(f"{name}: {at} ({seconds:.0f} s)", file=sys.stderr, flush=True)):
            yield now
