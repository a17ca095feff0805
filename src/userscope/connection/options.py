"""What a service may say of its engine beside the settings: values that no environment variable holds."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from userscope.errors import ConfigurationError, Unavailable, UserscopeError


@dataclass(frozen=True)
class EngineOptions:
    """How connections are made and kept.

    ``password`` is called for each new connection, for tokens that live some minutes (RDS, Cloud SQL, Entra); it takes
    the place of the URL's. ``on_connect`` gets each new connection as a plain one of psycopg's, acting for nobody, to
    register types on. Both may be ``async`` for an AsyncDatabase. ``json_serializer`` and ``json_deserializer`` are
    SQLAlchemy's. ``pool_recycle`` (seconds) replaces connections that are older, ``max_overflow`` is how many there may
    be beyond DATABASE_POOL_SIZE for a while.

    >>> db = Database(options=EngineOptions(password=fresh_token, pool_recycle=840))
    """

    password: Callable[[], Any] | None = field(default=None, repr=False)
    on_connect: Callable[[Any], Any] | None = None
    json_serializer: Callable[[Any], str] | None = None
    json_deserializer: Callable[[str], Any] | None = None
    pool_recycle: float = -1
    max_overflow: int = 0

    def __post_init__(self) -> None:
        """Raise ConfigurationError for what cannot be used."""
        if self.max_overflow < 0 or isinstance(self.max_overflow, bool):
            raise ConfigurationError("max_overflow cannot be used: connections without number would end the server")
        if not (self.pool_recycle > 0 or self.pool_recycle == -1):
            raise ConfigurationError("pool_recycle cannot be used: it is seconds, more than none; -1 for never")

    @property
    def engine(self) -> dict[str, Any]:
        """What ``create_engine`` is told."""
        given: dict[str, Any] = {"pool_recycle": self.pool_recycle, "max_overflow": self.max_overflow}
        json = {"json_serializer": self.json_serializer, "json_deserializer": self.json_deserializer}
        return given | {name: value for name, value in json.items() if value is not None}


def told(password: Callable[[], Any]) -> dict[str, str]:
    """Return what a service's callable says, as a parameter. Raises Unavailable where it fails.

    What it raised may hold a secret: its kind is all that is told.
    """
    with _failing():
        answer = password()
        return _checked(asyncio.run(_awaited(answer)) if inspect.isawaitable(answer) else answer)
    raise AssertionError  # what fails is raised by then


async def told_async(password: Callable[[], Any]) -> dict[str, str]:
    """Return what a service's callable says; as ``told``."""
    with _failing():
        answer = password()
        return _checked(await answer if inspect.isawaitable(answer) else answer)
    raise AssertionError  # as above


async def _awaited(answer: Awaitable[Any]) -> Any:
    return await answer


def _checked(answer: Any) -> dict[str, str]:
    if not isinstance(answer, str) or not answer:
        raise ConfigurationError(
            "the password callable returned no password", detail=f"It returned {type(answer).__name__}, and not a text."
        )
    return {"password": answer}


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
        return
    except UserscopeError:
        raise
    except Exception as error:  # it is not ours
        kind = type(error).__name__
    raise Unavailable(
        "no password could be had for a new connection",
        detail=f"The callable that the service gave raised {kind}.",
        hint="It is asked for each new connection; those that stand serve on.",
    ) from None
