"""The example, started once for all its tests."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.better_auth.node import node as node
from tests.example.running import Example, Person, running
from userscope.local.server import Server


@pytest.fixture(scope="package")
def example(node: None) -> Iterator[Example]:  # noqa: ARG001  # node is installed by then
    """All of it, on a new server that is gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="us-", dir="/tmp"))
    home.chmod(0o711)
    try:
        with running(home) as made:
            yield made
    finally:
        Server(home).delete()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def ann(example: Example) -> Iterator[Person]:
    with example.person() as person:
        yield person


@pytest.fixture
def bob(example: Example) -> Iterator[Person]:
    with example.person() as person:
        yield person
