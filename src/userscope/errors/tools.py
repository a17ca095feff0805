"""What commands and settings raise: configured otherwise, not installed, not migrated."""

from typing import Self

from userscope.errors.base import UserscopeError


class ConfigurationError(UserscopeError):
    """Something must be set, written or installed otherwise; nothing was tried."""


class MissingSetting(ConfigurationError):
    """A command needs a variable that is not set, while others are (so the embedded server is not meant)."""

    def __init__(self, variable: str, purpose: str, hint: str | None = None) -> None:
        super().__init__(
            f"{variable} is not set",
            detail=f"It names {purpose}.",
            hint=hint
            or f"Set {variable} in the environment or in .env; unset every database URL to use the embedded server.",
        )


class InvalidURL(ConfigurationError):
    """A connection URL cannot be used. The URL itself is never repeated: it holds a password."""

    def __init__(self, variable: str, reason: str, hint: str) -> None:
        super().__init__(f"{variable} cannot be used: {reason}", hint=hint)


class PooledHost(ConfigurationError):
    """An admin command was pointed at a transaction pooler, which keeps no session: no lock, no setting holds."""

    def __init__(self, variable: str, host: str) -> None:
        super().__init__(
            f'{variable} names the pooled host "{host}"',
            detail="Migrations need a session of their own: advisory locks and settings do not hold behind a pooler.",
            hint="Set ADMIN_DATABASE_URL (or DATABASE_URL_UNPOOLED) to the same host without “-pooler”.",
        )


class UnfitReplica(ConfigurationError):
    """What DATABASE_REPLICA_URL names is no replica of what DATABASE_URL names."""

    @classmethod
    def primary(cls, host: str) -> Self:
        """Return what is said of a server that writes."""
        return cls(
            f'DATABASE_REPLICA_URL names a primary, and no replica: "{host}"',
            detail="The server there is not in recovery, so it follows nobody.",
            hint="Let it name a standby of the server of DATABASE_URL; unset it where there is none.",
        )

    @classmethod
    def foreign(cls, host: str, *, same_cluster: bool) -> Self:
        """Return what is said of a standby of something else."""
        return cls(
            f'DATABASE_REPLICA_URL names a replica of another {"database" if same_cluster else "server"}: "{host}"',
            detail="DATABASE_URL leads to another database of the same server."
            if same_cluster
            else "The standby there does not follow the server of DATABASE_URL.",
            hint="Compare the host and the database of both.",
        )


class MissingExtra(ConfigurationError):
    """A Python package of an extra is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f'the package "{package}" is not installed', hint=f"Run: pip install 'userscope[{extra}]'")


class MissingTool(ConfigurationError):
    """A program that a command runs is not on PATH."""

    def __init__(self, tool: str, purpose: str, hint: str) -> None:
        super().__init__(f'the program "{tool}" was not found', detail=f"It is needed {purpose}.", hint=hint)


class LocalServerError(UserscopeError):
    """The embedded PostgreSQL cannot start, stop or be reached."""


class MigrationError(UserscopeError):
    """A migration cannot run or did not succeed; what it was doing was rolled back unless the detail says otherwise."""


class PlanError(MigrationError):
    """A plan file, or what is looked up in it, is not valid; nothing was run."""


class ScriptError(MigrationError):
    """A script is refused, or failed; its change was rolled back unless the detail says otherwise."""


class RegistryError(MigrationError):
    """Sqitch's registry in the database does not fit the plan, or cannot be written; nothing was run."""


class SealingError(UserscopeError):
    """Seal keys, or whether a seal is required, cannot be changed as asked; nothing was changed."""


class AuditError(UserscopeError):
    """A database cannot be copied, audited or mutated; nothing was changed in it."""
