"""What takes a while says on standard error what it is at."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic


@contextmanager
def progress(name: str) -> Iterator[Callable[[str], None]]:
    """Yield what is told of each step: a line each, or one that changes where somebody looks at a terminal."""
    from rich.console import Console

    console, begin = Console(stderr=True, highlight=False), monotonic()
    if not sys.stderr.isatty():
        yield lambda step: console.print(f"{monotonic() - begin:5.1f} s  {step}", markup=False)
        return
    with console.status(name) as status:
        yield lambda step: status.update(f"{name}: {step} ({monotonic() - begin:.0f} s)")
