"""Everything that can be configured: environment variables, or the same names in ``.env``.

None of the database URLs set means the embedded server (see ``userscope.local``). As soon as one is set, whatever a
command needs and lacks is an error that names the variable.
"""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from userscope.errors import ConfigurationError, InvalidURL, MissingSetting, PooledHost
from userscope.postgres.url import ConnectionURL, embedded_url

Purpose = Literal["service", "admin", "auth"]

_UNITS = {"": 0.001, "us": 0.000_001, "ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86_400}


def seconds(text: str) -> float:
    """Return how long a time in PostgreSQL's notation is: an integer (milliseconds), or one with a unit.

    Raises ValueError for anything else.
    """
    digits = text.rstrip("dhminsu").rstrip()
    unit = text[len(digits) :].strip()
    if not digits.isascii() or not digits.isdigit() or unit not in _UNITS:
        raise ValueError('a time in PostgreSQL\'s notation is needed, such as "30s", "500ms" or 0 for none')
    return int(digits) * _UNITS[unit]


def _timeout(text: str) -> str:
    seconds(text)
    return text


def _not_empty(value: str | Path) -> str | Path:
    """Refuse '', which would name the working directory itself."""
    if value == "":
        raise ValueError("it is set, but empty")
    return value


class Settings(BaseSettings):
    """The configuration of one process. Raises ``ConfigurationError`` for a value that cannot be used.

    No password shows in its repr, in a log or in an error.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", hide_input_in_errors=True
    )

    database_url: SecretStr | None = None
    database_url_unpooled: SecretStr | None = None
    admin_database_url: SecretStr | None = None
    auth_database_url: SecretStr | None = None
    userscope_seal_key: SecretStr | None = None
    userscope_seal_optional: bool = Field(
        default=False, description="seal already, while the database does not require it"
    )
    userscope_home: Annotated[Path, BeforeValidator(_not_empty)] = Path(".userscope")
    database_pool_size: int = Field(default=5, ge=1, le=1000)
    database_pool_timeout: float = Field(default=10, gt=0, description="seconds")
    database_statement_timeout: Annotated[str, AfterValidator(_timeout)] = "30s"
    auth_jwks_url: str | None = None
    auth_issuer: str | None = None
    auth_audience: str | None = None

    def __init__(self, **values: object) -> None:
        try:
            super().__init__(**values)  # type: ignore[arg-type]  # pydantic checks what it is given
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(".env cannot be read", detail=f"{error}.") from None
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = "_".join(str(part) for part in first["loc"]).upper()
            raise ConfigurationError(f"{name} cannot be used: {first['msg'].removeprefix('Value error, ')}") from None

    @cached_property
    def embedded(self) -> bool:
        """Whether no database URL is set at all, so that the embedded server is meant."""
        urls = (self.database_url, self.database_url_unpooled, self.admin_database_url, self.auth_database_url)
        return all(url is None for url in urls)

    @property
    def home(self) -> Path:
        """The absolute folder of the embedded server: ``USERSCOPE_HOME``, or ``.userscope`` where one stands."""
        return self.userscope_home.expanduser().absolute()

    def url(self, purpose: Purpose) -> ConnectionURL:
        """Return what to connect with: as a service, as the admin (unpooled), or as the identity provider.

        Raises MissingSetting, InvalidURL, PooledHost, or LocalServerError where the embedded server was never made.
        """
        if self.embedded:
            return embedded_url(self.home, purpose)
        if purpose == "service":
            return self._parse("DATABASE_URL", "the login that services connect with, a member of app_user")
        if purpose == "auth":
            return self._parse("AUTH_DATABASE_URL", "the identity provider's login, a member of app_auth")
        for variable in ("ADMIN_DATABASE_URL", "DATABASE_URL_UNPOOLED", "DATABASE_URL"):
            if getattr(self, variable.lower()) is not None:
                url = self._parse(variable, "")
                if url.pooled:
                    raise PooledHost(variable, url.host)
                return url
        raise MissingSetting("ADMIN_DATABASE_URL", "the owner's login, which migrates and audits")

    def _parse(self, variable: str, purpose: str) -> ConnectionURL:
        secret: SecretStr | None = getattr(self, variable.lower())
        if secret is None:
            raise MissingSetting(variable, purpose)
        return ConnectionURL.parse(secret.get_secret_value(), variable)

    def require_local(self, command: str) -> None:
        """Refuse where any configured server is remote; for commands that make or destroy sample data."""
        if self.embedded:
            return
        for purpose in ("service", "admin", "auth"):
            try:
                url = self.url(purpose)
            except MissingSetting:
                continue
            if not url.local:
                raise InvalidURL(
                    url.variable,
                    f'"{command}" runs only against a server on this machine',
                    "Unset the database URLs to use the embedded server.",
                )
