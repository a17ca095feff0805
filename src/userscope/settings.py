"""Everything that can be configured: environment variables, or the same names in ``.env``.

None of the database URLs set means the embedded server (see ``userscope.local``). As soon as one is set, whatever a
command needs and lacks is an error that names the variable.
"""

from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from userscope.errors import ConfigurationError, InvalidURL, MissingSetting, PooledHost
from userscope.identity import SealKey
from userscope.login import Login
from userscope.postgres.state import embedded_url
from userscope.postgres.times import seconds
from userscope.postgres.url import ConnectionURL

_ADMIN = (Login.ADMIN.variable, "DATABASE_URL_UNPOOLED", Login.SERVICE.variable)
"""Where the admin's URL is looked for: the second is Neon's name for it."""


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

    @property
    def seal_key(self) -> SealKey | None:
        """The key that identities are sealed with; None where they are sent unsealed. Raises ConfigurationError."""
        secret = self.userscope_seal_key
        return SealKey.parse(secret.get_secret_value()) if secret else None

    def url(self, login: str) -> ConnectionURL:
        """Return what to connect with as a ``Login``, or by its word; as the admin unpooled.

        Raises MissingSetting, InvalidURL, PooledHost, or LocalServerError where the embedded server was never made.
        """
        login = Login(login)
        if self.embedded:
            return embedded_url(self.home, login)
        for variable in _ADMIN if login is Login.ADMIN else (login.variable,):
            secret: SecretStr | None = getattr(self, variable.lower())
            if secret is None:
                continue
            try:
                url = ConnectionURL.parse(secret.get_secret_value(), variable)
            except InvalidURL as error:
                error.__context__ = None  # the frames hold the URL, where tools that report errors would show it
                raise error.with_traceback(None) from None
            if login is Login.ADMIN and url.pooled:
                raise PooledHost(variable, url.host)
            return url
        raise MissingSetting(login.variable, login.purpose)

    def require_local(self, command: str) -> None:
        """Refuse where any configured server is remote; for commands that make or destroy sample data."""
        if self.embedded:
            return
        for login in Login:
            try:
                url = self.url(login)
            except MissingSetting:
                continue
            if not url.local:
                raise InvalidURL(
                    url.variable,
                    f'"{command}" runs only against a server on this machine',
                    "Unset the database URLs to use the embedded server.",
                )
