"""The example, started once for all its tests."""

from collections.abc import Iterator

import pytest

from tests.better_auth.node import node as node
from tests.clusters import short_folder
from tests.example.running import Example, Person, running


@pytest.fixture(scope="package")
def example(node: None) -> Iterator[Example]:  # noqa: ARG001  # node is installed by then
    """All of it, on a new server that is gone afterwards."""
    with short_folder() as folder, running(folder / "home") as made:
        yield made


@pytest.fixture
def ann(example: Example) -> Iterator[Person]:
    with example.person() as person:
        yield person


@pytest.fixture
def bob(example: Example) -> Iterator[Person]:
    with example.person() as person:
        yield person
