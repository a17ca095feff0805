"""An issuer for each test, and both ways to ask."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.issuer import Issuer, serving
from userscope.auth import TokenVerifier
from userscope.identity import UserId

type Verify = Callable[[TokenVerifier, str], UserId]


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An identity provider of one's own."""
    with serving() as made:
        yield made


@pytest.fixture
def verifier(issuer: Issuer) -> TokenVerifier:
    """Trusts the issuer, and goes by its clock."""
    return TokenVerifier(issuer.settings(), clock=issuer.clock)


def _async_verify(verifier: TokenVerifier, token: str) -> UserId:
    return asyncio.run(verifier.verify_async(token))


@pytest.fixture(params=["sync", "async"])
def verify(request: pytest.FixtureRequest) -> Verify:
    """``verify(verifier, token)``, by each of the two."""
    return TokenVerifier.verify if request.param == "sync" else _async_verify
