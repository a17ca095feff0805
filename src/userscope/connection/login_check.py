"""Whether a new connection may serve users: asked once, in one round trip, before anything else is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from psycopg import errors
from psycopg.abc import PQGen

from userscope.connection.base import ScopedConnectionBase
from userscope.connection.cursor import AsyncScopedConnection, ScopedConnection, row_gen
from userscope.connection.replica import Introduction
from userscope.connection.scope import Scope
from userscope.errors import ConfigurationError, NotSealed, RoleBypassesRLS, SealRejected
from userscope.postgres.citus import a_worker
from userscope.postgres.sql import named, with_shared

_CHECK = with_shared(named(__package__, "login_check.sql"))
_CHECK_AND_SEALING = f"select login.*, app.seal_required() from ({_CHECK}) as login"  # noqa: S608  # our own file
_UNREADABLE = (errors.InvalidSchemaName, errors.UndefinedFunction, errors.InsufficientPrivilege)

type _Row = tuple[str | None, dict[str, str] | None, bool, bool, bool | None]


@dataclass
class LoginCheck:
    """The judge of one engine's connections, and what it learns from them.

    ``sealing``: whether this service seals; None for a login that acts for nobody. ``seal_optional``: it may seal
    though the database does not require it, while sealing is being introduced. ``constraint_messages``: the comments of
    constraints by ``schema.table.constraint``.
    """

    sealing: bool | None
    seal_optional: bool = False
    constraint_messages: Mapping[str, str] = field(default_factory=dict)

    def check_gen(self, connection: ScopedConnection | AsyncScopedConnection, scope: Scope) -> PQGen[None]:
        """Ask and judge, for ``connection.wait``; ``scope`` is a login's own, to ask in.

        Raises RoleBypassesRLS, NotSealed, SealRejected or ConfigurationError for a connection that must not serve.
        """
        connection.scope = scope
        try:
            try:
                row = yield from row_gen(connection, _CHECK_AND_SEALING)
            except errors.InsufficientPrivilege:
                if not (isinstance(scope.road, Introduction) and scope.road.humbler()):
                    raise
                row = yield from row_gen(connection, _CHECK_AND_SEALING)
            self._judge(connection, row)
        except _UNREADABLE as error:
            row = yield from row_gen(connection, f"select login.*, null from ({_CHECK}) as login")  # noqa: S608  # ours
            self._judge(connection, row, error)
        finally:
            connection.scope = None

    def _judge(self, connection: ScopedConnectionBase, row: _Row | None, error: Exception | None = None) -> None:
        why, constraint_messages, distributed, worker, seal_required = row or (None, None, False, False, None)
        role = connection.info.user
        if why:
            raise RoleBypassesRLS(role, why)
        if worker:
            raise a_worker()
        if isinstance(error, errors.InsufficientPrivilege) and self.sealing is not None:
            raise not_a_service(role) from error
        if error and not isinstance(error, errors.InsufficientPrivilege):
            raise not_migrated() from error
        if self.sealing and not seal_required and not self.seal_optional:
            raise NotSealed
        if self.sealing is False and seal_required:
            raise SealRejected(
                "the database requires sealed identities",
                detail="This service has no seal key.",
                hint='Set USERSCOPE_SEAL_KEY to a key made by "userscope seal-key new".',
            )
        self.constraint_messages = constraint_messages or {}
        connection.distributed = distributed


def not_a_service(role: str) -> ConfigurationError:
    """Return what is said of a login that cannot even set an identity."""
    return ConfigurationError(
        f'role "{role}" may not use schema app',
        detail="It is a member of neither app_user nor app_auth, or does not inherit what they may.",
        hint='Make a login with "userscope create-login".',
    )


def not_migrated() -> ConfigurationError:
    """Return what is said of a database without our functions."""
    return ConfigurationError(
        "the database was not migrated",
        detail="Schema app, or its function seal_required, is missing.",
        hint='Run "userscope migrate".',
    )
