"""Settings come from the environment or .env; what is missing or wrong is one error that names the variable."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from userscope.errors import ConfigurationError, InvalidURL, LocalServerError, MissingSetting, PooledHost
from userscope.settings import Settings

LOCAL = "postgresql://me:Zx9q@localhost/app"
REMOTE = "postgresql://me:Zx9q@ep-1.neon.tech/app"
POOLED = "postgresql://me:Zx9q@ep-1-pooler.neon.tech/app"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Makes settings of an environment."""

    def make(**variables: str) -> Settings:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return Settings()

    return make


def test_nothing_set(settings: Callable[..., Settings], tmp_path: Path) -> None:
    """Without any URL the embedded server of the working directory is meant."""
    made = settings()
    assert made.embedded
    assert made.home == tmp_path / ".userscope"
    made.require_local("anything")
    with pytest.raises(LocalServerError, match="there is no embedded server yet"):
        made.url("admin")


def test_env_file(settings: Callable[..., Settings], tmp_path: Path) -> None:
    """.env is read, and the environment goes before it."""
    (tmp_path / ".env").write_text(f"DATABASE_URL={REMOTE}\nDATABASE_POOL_SIZE=7\nSOMETHING_ELSE=1\n")
    assert settings().url("service").host == "ep-1.neon.tech"
    assert settings().database_pool_size == 7
    assert settings(DATABASE_URL=LOCAL).url("service").host == "localhost"


def test_env_file_that_cannot_be_read(settings: Callable[..., Settings], tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"DATABASE_URL=\xff\xfe")
    with pytest.raises(ConfigurationError, match=r"^\.env cannot be read") as caught:
        settings()
    assert "Zx9q" not in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "service", "auth", "admin"),
    [
        (["DATABASE_URL"], "DATABASE_URL", None, "DATABASE_URL"),
        (["ADMIN_DATABASE_URL"], None, None, "ADMIN_DATABASE_URL"),
        (["AUTH_DATABASE_URL"], None, "AUTH_DATABASE_URL", None),
        (["DATABASE_URL_UNPOOLED"], None, None, "DATABASE_URL_UNPOOLED"),
        (["DATABASE_URL", "DATABASE_URL_UNPOOLED"], "DATABASE_URL", None, "DATABASE_URL_UNPOOLED"),
        (["DATABASE_URL_UNPOOLED", "ADMIN_DATABASE_URL"], None, None, "ADMIN_DATABASE_URL"),
    ],
)
def test_some_urls_set(
    settings: Callable[..., Settings], variables: list[str], service: str | None, auth: str | None, admin: str | None
) -> None:
    """As soon as one URL is set, what is missing is an error that names it, and never the embedded server."""
    made = settings(**dict.fromkeys(variables, REMOTE))
    assert not made.embedded
    expected: dict[str, tuple[str | None, str]] = {
        "service": (service, "DATABASE_URL"),
        "auth": (auth, "AUTH_DATABASE_URL"),
        "admin": (admin, "ADMIN_DATABASE_URL"),
    }
    for purpose, (variable, missing) in expected.items():
        if variable:
            assert made.url(purpose).variable == variable
        else:
            with pytest.raises(MissingSetting, match=f"^{missing} is not set") as caught:
                made.url(purpose)
            assert f"Set {missing} in the environment or in .env" in str(caught.value)


def test_pooled_host(settings: Callable[..., Settings]) -> None:
    """Services may use a pooler; the admin may not, wherever the URL comes from, unless an unpooled one is set too."""
    made = settings(DATABASE_URL=POOLED)
    assert made.url("service").pooled
    for variable in ("DATABASE_URL", "DATABASE_URL_UNPOOLED", "ADMIN_DATABASE_URL"):
        with pytest.raises(PooledHost, match=f'^{variable} names the pooled host "ep-1-pooler.neon.tech"'):
            settings(**{variable: POOLED}).url("admin")
    assert settings(ADMIN_DATABASE_URL=REMOTE).url("admin").host == "ep-1.neon.tech"


def test_empty_url(settings: Callable[..., Settings]) -> None:
    """A URL that is set but empty is a mistake, not a wish for the embedded server."""
    made = settings(DATABASE_URL="")
    assert not made.embedded
    with pytest.raises(InvalidURL, match=r"^DATABASE_URL cannot be used: it is set, but empty\n"):
        made.url("service")


@pytest.mark.parametrize("variable", ["DATABASE_URL", "ADMIN_DATABASE_URL", "AUTH_DATABASE_URL"])
def test_require_local(settings: Callable[..., Settings], variable: str) -> None:
    """One remote URL among local ones is enough to refuse what makes or destroys data."""
    urls = dict.fromkeys(["DATABASE_URL", "ADMIN_DATABASE_URL", "AUTH_DATABASE_URL"], LOCAL)
    settings(**urls).require_local("userscope demo")
    made = settings(**urls | {variable: REMOTE})
    with pytest.raises(InvalidURL, match=f'^{variable} cannot be used: "userscope demo" runs only against a server on'):
        made.require_local("userscope demo")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_POOL_SIZE", "0"),
        ("DATABASE_POOL_SIZE", "1.5"),
        ("DATABASE_POOL_SIZE", "many"),
        ("DATABASE_POOL_TIMEOUT", "0"),
        ("DATABASE_POOL_TIMEOUT", "soon"),
        ("DATABASE_POOL_TIMEOUT", "inf"),
        ("DATABASE_POOL_TIMEOUT", "nan"),
        ("DATABASE_POOL_TIMEOUT", "1e12"),
        ("DATABASE_STATEMENT_TIMEOUT", "30d"),
        ("DATABASE_STATEMENT_TIMEOUT", "2147483648"),
        ("USERSCOPE_SEAL_KEY", ""),
        ("AUTH_ISSUER", "https://auth.example\nX: y"),
        ("AUTH_AUDIENCE", "a\x07b"),
        ("DATABASE_STATEMENT_TIMEOUT", ""),
        ("DATABASE_STATEMENT_TIMEOUT", "-1"),
        ("DATABASE_STATEMENT_TIMEOUT", "1.5s"),
        ("DATABASE_STATEMENT_TIMEOUT", "30 seconds"),
        ("DATABASE_STATEMENT_TIMEOUT", "5s; drop table x"),
        ("DATABASE_STATEMENT_TIMEOUT", "٣s"),
        ("USERSCOPE_HOME", ""),
    ],
)
def test_refused_values(settings: Callable[..., Settings], variable: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{variable} cannot be used: ") as caught:
        settings(**{variable: value})
    assert "Traceback" not in str(caught.value)
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize("value", ["0", "500", "30s", "500ms", "2min", "1 h", "10us", "1d", "24d", "2147483647"])
def test_timeouts(settings: Callable[..., Settings], value: str) -> None:
    assert settings(DATABASE_STATEMENT_TIMEOUT=value).database_statement_timeout == value


def test_copy(settings: Callable[..., Settings]) -> None:
    """A copy goes where its own values say, and these are judged as those that are read."""
    first = settings(DATABASE_POOL_SIZE="7")
    assert first.embedded
    copy = first.model_copy(update={"database_url": LOCAL})
    assert (copy.embedded, copy.url("service").host, copy.database_pool_size) == (False, "localhost", 7)
    assert copy.model_copy(update={"database_url": None}).embedded
    with pytest.raises(ConfigurationError, match=r"^DATABASE_POOL_SIZE cannot be used"):
        first.model_copy(update={"database_pool_size": 0})
    with pytest.raises(ValueError, match="frozen"):
        copy.database_url = None


def test_as_it_stands(settings: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password of .env may hold ${…}; what a mounted secret ends with is no part of any value."""
    (tmp_path / ".env").write_text("DATABASE_URL=postgresql://me:a${NOPE}b$HOME@localhost/app\n")
    made = settings(AUTH_ISSUER="https://auth.example\n", AUTH_JWKS_URL=" https://auth.example/jwks\r\n")
    assert made.url("service").params["password"] == "a${NOPE}b$HOME"
    assert (made.auth_issuer, made.auth_jwks_url) == ("https://auth.example", "https://auth.example/jwks")
    monkeypatch.setenv("USERSCOPE_SEAL_KEY", "k1:" + "A" * 43 + "=\n")
    assert (found := Settings().seal_key) is not None
    assert found.id == "k1"


def test_home(settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The home is an absolute path, whatever way it was written."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert settings(USERSCOPE_HOME="deep/down").home == tmp_path / "deep" / "down"
    assert settings(USERSCOPE_HOME="~/mine").home == tmp_path / "mine"
    assert settings(USERSCOPE_HOME="/srv/pg").home == Path("/srv/pg")


def test_no_secret_shown(settings: Callable[..., Settings]) -> None:
    """Neither str nor repr of the settings, nor of any URL they give, nor an error shows a password or a key."""
    made = settings(
        DATABASE_URL=LOCAL,
        ADMIN_DATABASE_URL=LOCAL,
        AUTH_DATABASE_URL="mysql://me:Zx9q@localhost/app",
        USERSCOPE_SEAL_KEY="k1:Zx9q",
    )
    shown = f"{made} {made!r} {made.url('service')} {made.url('admin')!r}"
    assert "userscope_seal_key" in shown
    with pytest.raises(InvalidURL) as caught:
        made.url("auth")
    assert "Zx9q" not in f"{shown} {caught.value} {caught.value!r} {made.model_dump_json()}"
    assert made.url("service").params["password"] == "Zx9q"
    assert os.environ["DATABASE_URL"] == LOCAL


@pytest.mark.parametrize("kind", ["bigint", "text"])
def test_other_ids(settings: Callable[..., Settings], tmp_path: Path, kind: str) -> None:
    """Users are known by what USERSCOPE_USER_ID says where the core alone is deployed, and never beside ours."""
    with pytest.raises(ConfigurationError, match=f'USERSCOPE_USER_ID={kind} needs ours = "core"'):
        settings(USERSCOPE_USER_ID=kind)
    (tmp_path / "pyproject.toml").write_text('[tool.userscope]\nours = "core"\n', encoding="utf-8")
    assert settings(USERSCOPE_USER_ID=kind).userscope_user_id == kind
    (tmp_path / "pyproject.toml").unlink()
    assert settings(USERSCOPE_USER_ID=kind, USERSCOPE_OURS="core").userscope_user_id == kind
    with pytest.raises(ConfigurationError, match="USERSCOPE_OURS means nothing"):
        settings(USERSCOPE_USER_ID=kind, USERSCOPE_OURS="some")


def test_unknown_kind(settings: Callable[..., Settings]) -> None:
    """Another kind of ids is refused with those that there are."""
    with pytest.raises(ConfigurationError, match=r"USERSCOPE_USER_ID cannot be used: .*'uuid', 'bigint' or 'text'"):
        settings(USERSCOPE_USER_ID="integer")
