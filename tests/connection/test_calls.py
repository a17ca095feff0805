"""What this package does in Python for one page is bounded: calls are counted, which no busy machine changes."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session, select

import userscope
from tests.connection.served import AsyncServed, Served
from userscope.models import Todo

OURS = str(Path(userscope.__file__).parent)
MOST = {"reader": 60, "session": 73, "async reader": 71, "async session": 88}
"""As many as there are: a change that needs more says why, and one that needs fewer takes them away here."""


def _page(session: Session) -> object:
    return session.exec(select(Todo)).all()


def _calls(work: Callable[[], object]) -> int:
    """How many functions and generators of ours are entered."""
    calls = 0

    def count(frame: FrameType, happening: str, _: Any) -> None:
        nonlocal calls
        calls += happening == "call" and frame.f_code.co_filename.startswith(OURS)

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("kind", ["reader", "session"])
def test_page(served: Served, alice: UUID, kind: str) -> None:
    """A session's whole life around one page: opened, read in, closed."""
    opened = getattr(served, kind)
    found = min(_calls(lambda: opened(alice, _page)) for _ in range(20))  # an answer in pieces is waited for more often
    assert 0 < found <= MOST[f"async {kind}" if isinstance(served, AsyncServed) else kind]
