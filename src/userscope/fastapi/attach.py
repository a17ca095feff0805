"""How all of it is attached to an application, whole or in parts."""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from userscope.fastapi.middleware import Answers, BodyLimit
from userscope.fastapi.problems import handle_errors, handle_own_errors, refusals
from userscope.fastapi.service import Service

MAX_BODY = 256 * 1024
"""Bytes of a request's body."""


def install(app: FastAPI, *, max_body: int = MAX_BODY, max_bodies: Mapping[str, int] | None = None) -> None:
    """Give ``app`` problems for all errors, ``/healthz``, ``/readyz``, and a limit to the bytes of a request's body.

    ``max_bodies`` are other limits, by the path that they and all below it have. An application that has its own ways
    takes the parts that it wants: ``install_errors``, ``install_health``, ``install_body_limit``.
    """
    handle_errors(app)
    # The innermost, whatever is added before or later.
    app.user_middleware.append(Middleware(Answers))
    install_body_limit(app, max_body=max_body, max_bodies=max_bodies)
    install_health(app)


def install_errors(app: FastAPI) -> None:
    """Let ``app`` answer userscope's errors, by problems; everything else is answered as before."""
    handle_own_errors(app)


def install_body_limit(app: FastAPI, *, max_body: int = MAX_BODY, max_bodies: Mapping[str, int] | None = None) -> None:
    """Let ``app`` answer 413 to a body of more bytes than ``max_body``, or than ``max_bodies`` allow for its path."""
    app.add_middleware(BodyLimit, limit=max_body, by_path=max_bodies)


def install_health(app: FastAPI) -> None:
    """Give ``app`` ``/healthz`` and ``/readyz``."""

    @app.get("/healthz", tags=["health"])
    async def healthz() -> dict[str, str]:
        """Tell that the process answers."""
        return {"status": "alive"}

    @app.get("/readyz", tags=["health"], responses={503: refusals()[503]})
    async def readyz(request: Request) -> dict[str, str]:
        """Tell whether the database can be reached, and whether this login may serve users."""
        if not await Service.of(request).ready():
            raise HTTPException(503, headers={"Retry-After": "5"})
        return {"status": "ready"}
