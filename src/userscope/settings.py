"""Everything that can be configured: environment variables, or the same names in ``.env``.

None of the database URLs set means the embedded server (see ``userscope.local``). As soon as one is set, whatever a
command needs and lacks is an error that names the variable.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Self, override

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from userscope import pyproject
from userscope.errors import ConfigurationError, InvalidURL, MissingSetting, PooledHost
from userscope.identity import Kind, SealKey
from userscope.login import Login
from userscope.postgres.state import embedded_url
from userscope.postgres.times import seconds
from userscope.postgres.url import ConnectionURL

_ADMIN = (Login.ADMIN.variable, "DATABASE_URL_UNPOOLED", Login.SERVICE.variable)
"""Where the admin's URL is looked for: the second is Neon's name for it."""

SECRET_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
"""How long a secret must be at least, by the algorithms that sign with one (RFC 7518)."""
_FEWEST = min(SECRET_BYTES.values())
ALGORITHMS = ("EdDSA", *(f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)))
"""Those that sign with a private key, and are checked by the public one."""
UNCHECKED = "none"
"""What is written for an audience that is not looked at."""

_LONGEST = 2**31 / 1000
"""Seconds that PostgreSQL's settings hold."""


def known_algorithms(names: str | Sequence[str], *, shared: bool | None = None) -> tuple[str, ...]:
    """Return the names of algorithms, which may stand in one text, with commas between them.

    Raises ValueError for unknown ones, and for those that need what is not there: a ``shared`` secret, or published
    keys. The two kinds never go together: a public key, which everybody knows, must not be taken for a secret.
    """
    listed = names.split(",") if isinstance(names, str) else names
    given = tuple(dict.fromkeys(name.strip() for name in listed))
    for name in given:
        if name not in (*ALGORITHMS, *SECRET_BYTES):
            raise ValueError(f"there is no such algorithm; choose of {', '.join((*ALGORITHMS, *SECRET_BYTES))}")
    kinds = {name in SECRET_BYTES for name in given}
    if len(kinds) > 1:
        raise ValueError("algorithms of a shared secret (HS256) and of published keys never go together")
    if shared is not None and kinds != {shared}:
        raise ValueError(f"{given[0]} goes with {'published keys' if shared else 'a secret'}")
    return given


def _algorithms(text: str | None) -> str | None:
    return text if text is None else ",".join(known_algorithms(text))


def _timeout(text: str) -> str:
    if seconds(text) >= _LONGEST:
        raise ValueError("it is longer than PostgreSQL's 24 days; 0 is for ever")
    return text


def _one_line(text: str | None) -> str | None:
    if text is not None and not text.isprintable():
        raise ValueError("it holds a line end, or another character that cannot be seen")
    return text


def _secret(value: SecretStr | None) -> SecretStr | None:
    if value is not None and len(value.get_secret_value().encode()) < _FEWEST:
        raise ValueError(f"it is shorter than {_FEWEST} bytes")
    return value


def _seal_key(value: SecretStr | None) -> SecretStr | None:
    if value is not None and not value.get_secret_value():
        raise ValueError("it is set, but empty; a service would go on without seals in silence")
    return value


class _DotEnv(DotEnvSettingsSource):
    """``.env`` as it stands: "${…}" in a password is a part of it, as it is for Docker, systemd and Node.js."""

    @override
    def _read_env_file(self, file_path: Path) -> Mapping[str, str | None]:
        found = dotenv_values(file_path, encoding=self.env_file_encoding or "utf-8", interpolate=False)
        return {name.lower(): value for name, value in found.items()}


def _project_folder(here: Path) -> Path:
    """Return the nearest folder upwards with a server, a pyproject.toml or a repository in it; else ``here``.

    What belongs to somebody else counts for nothing above ``here``: it may have been put there to lead us astray.
    """
    for folder in (here, *here.parents):
        for name in (".userscope", "pyproject.toml", ".git"):
            try:
                owners = {folder.stat().st_uid, (folder / name).lstat().st_uid}
            except OSError:
                continue
            if owners == {os.geteuid()}:
                return folder
    return here


def _parsed(secret: SecretStr, variable: str) -> ConnectionURL:
    try:
        return ConnectionURL.parse(secret.get_secret_value(), variable)
    except InvalidURL as error:
        error.__context__ = None  # the frames hold the URL, where tools that report errors would show it
        raise error.with_traceback(None) from None


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
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        hide_input_in_errors=True,
        str_strip_whitespace=True,  # a secret that is mounted as a file ends with its line
        frozen=True,
    )

    database_url: SecretStr | None = None
    database_replica_url: SecretStr | None = None
    database_url_unpooled: SecretStr | None = None
    admin_database_url: SecretStr | None = None
    auth_database_url: SecretStr | None = None
    userscope_user_id: Kind = "uuid"
    userscope_seal_key: Annotated[SecretStr | None, AfterValidator(_seal_key)] = None
    userscope_seal_optional: bool = Field(
        default=False, description="seal already, while the database does not require it"
    )
    userscope_home: Annotated[Path, BeforeValidator(_not_empty)] = Path(".userscope")
    database_pool_size: int = Field(default=5, ge=1, le=1000)
    database_pool_timeout: float = Field(default=10, gt=0, le=3600, description="seconds")
    database_replica_max_lag: float = Field(default=60, ge=1, le=86400, description="seconds")
    database_statement_timeout: Annotated[str, AfterValidator(_timeout)] = "30s"
    auth_jwks_url: str | None = None
    auth_issuer: Annotated[str | None, AfterValidator(_one_line)] = None
    auth_audience: Annotated[str | None, AfterValidator(_one_line)] = None
    auth_algorithms: Annotated[str | None, AfterValidator(_algorithms)] = None
    auth_secret: Annotated[SecretStr | None, AfterValidator(_secret)] = None
    auth_user_claim: Annotated[str, AfterValidator(_one_line), Field(min_length=1)] = "sub"
    auth_organization_claim: Annotated[str | None, AfterValidator(_one_line)] = None

    def __init__(self, **values: object) -> None:
        try:
            super().__init__(**values)  # type: ignore[arg-type]  # pydantic checks what it is given
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(".env cannot be read", detail=f"{error}.") from None
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = "_".join(str(part) for part in first["loc"]).upper()
            raise ConfigurationError(f"{name} cannot be used: {first['msg'].removeprefix('Value error, ')}") from None

    @model_validator(mode="after")
    def _refuse_other_ids_beside_our_users(self) -> Self:
        if self.userscope_user_id != "uuid" and pyproject.read().ours != "core":
            raise ConfigurationError(
                f'USERSCOPE_USER_ID={self.userscope_user_id} needs ours = "core"',
                detail="app.users, which is deployed otherwise, knows users by uuids.",
                hint='Write ours = "core" in [tool.userscope] of pyproject.toml; where there is no such file, set '
                "USERSCOPE_OURS=core.",
            )
        return self

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read ``.env`` as it stands."""
        assert isinstance(dotenv_settings, DotEnvSettingsSource)  # noqa: S101  # pydantic's own
        as_it_stands = _DotEnv(settings_cls, dotenv_settings.env_file, dotenv_settings.env_file_encoding)
        return init_settings, env_settings, as_it_stands, file_secret_settings

    @override
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return settings with other values, which are judged like those that are read."""
        return type(self)(_env_file=None, **(dict(self) | dict(update or {})))

    @property
    def embedded(self) -> bool:
        """Whether no database URL is set at all, so that the embedded server is meant."""
        urls = (self.database_url, self.database_url_unpooled, self.admin_database_url, self.auth_database_url)
        return all(url is None for url in (*urls, self.database_replica_url))

    @property
    def home(self) -> Path:
        """The absolute folder of the embedded server: ``USERSCOPE_HOME``, or ``.userscope`` of the project's folder."""
        named = self.userscope_home.expanduser()
        return named.absolute() if "userscope_home" in self.model_fields_set else _project_folder(Path.cwd()) / named

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
            url = _parsed(secret, variable)
            if login is Login.ADMIN and url.pooled:
                raise PooledHost(variable, url.host)
            return replace(url, patience=self.database_pool_timeout)
        raise MissingSetting(login.variable, login.purpose)

    @property
    def replica_urls(self) -> tuple[ConnectionURL, ...]:
        """Where readers go, one for each host; none where they go to the primary as well. Raises InvalidURL.

        A reader waits for none that does not answer: two seconds are the fewest that libpq knows.
        """
        if self.database_replica_url is None:
            return ()
        patience = min(2, self.database_pool_timeout)
        return tuple(
            replace(url, patience=patience) for url in _parsed(self.database_replica_url, "DATABASE_REPLICA_URL").each()
        )

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
