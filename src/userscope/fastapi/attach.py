"""How all of it is attached to an application, whole or in parts."""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from userscope.fastapi.middleware import Answers, BodyLimit, Sockets
from userscope.fastapi.positions import Positions
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
    app.user_middleware += [Middleware(Answers), Middleware(Sockets)]
    install_body_limit(app, max_body=max_body, max_bodies=max_bodies)
    install_health(app)


def install_errors(app: FastAPI) -> None:
    """Let ``app`` answer userscope's errors, by problems; everything else is answered as before."""
    handle_own_errors(app)
    app.user_middleware.append(Middleware(Sockets))


def install_body_limit(app: FastAPI, *, max_body: int = MAX_BODY, max_bodies: Mapping[str, int] | None = None) -> None:
    """Let ``app`` answer 413 to a body of more bytes than ``max_body``, or than ``max_bodies`` allow for its path."""
    app.add_middleware(BodyLimit, limit=max_body, by_path=max_bodies)


def install_positions(app: FastAPI, *, secret: str, max_age: int = 300, secure: bool = True) -> None:
    """Let a user's readers show what they wrote before, also where these go to a replica that is behind.

    The position of a request's last COMMIT goes to the client in a cookie, for ``max_age`` seconds, and in the header
    ``Userscope-Position``, encrypted by ``secret`` and for this user alone; what comes back is what ``UserReader`` and
    its kin are after.
    ``secure=False`` is for a service without TLS on this machine.
    """
    app.add_middleware(Positions, secret=secret, max_age=max_age, secure=secure)


def install_health(app: FastAPI) -> None:
    """Give ``app`` ``/healthz`` and ``/readyz``."""

    @app.get("/healthz", tags=["health"])
    async def healthz() -> dict[str, str]:
        """Tell that the process answers."""
        return {"status": "alive"}

    @app.get("/readyz", tags=["health"], responses={503: refusals()[503]})
    async def readyz(request: Request) -> dict[str, str]:
        """Tell whether the database can be reached, and whether this login may serve users; of a replica as well."""
        service = Service.of(request)
        if not await service.ready():
            raise HTTPException(503, headers={"Retry-After": "5"})
        return service.found
