"""A URL that can be used says where it leads; one that cannot is refused with its cure; neither ever shows a secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from userscope.errors import InvalidURL
from userscope.postgres.url import ConnectionURL


def parse(text: str) -> ConnectionURL:
    return ConnectionURL.parse(text, "DATABASE_URL")


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("postgresql://me:pw@localhost/app", {"user": "me", "password": "pw", "host": "localhost", "dbname": "app"}),
        ("postgres://me@127.0.0.1:5433/app", {"user": "me", "host": "127.0.0.1", "port": "5433", "dbname": "app"}),
        ("postgresql:///app?host=/run/pg", {"host": "/run/pg", "dbname": "app"}),
        ("postgresql:///app?host=@abstract", {"host": "@abstract", "dbname": "app"}),
        ("postgresql://%2Frun%2Fpg/app", {"host": "/run/pg", "dbname": "app"}),
        (" postgresql://localhost/app\n", {"host": "localhost", "dbname": "app"}),
        ("postgresql://a%40b:p%2Fw%3F@/app", {"user": "a@b", "password": "p/w?", "dbname": "app"}),
    ],
)
def test_parsed_as_libpq_does(text: str, params: dict[str, str]) -> None:
    assert parse(text).params == params


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("[::1]", True),
        ("%2Ftmp", True),
        ("localhost,127.0.0.1", True),
        ("localhost,db.example.com", False),
        ("10.0.0.1", False),
        ("192.168.0.1", False),
        ("localhost.example.com", False),
    ],
)
def test_local(host: str, local: bool) -> None:
    """Only a server on this machine is local; one remote host among several makes the URL remote."""
    url = parse(f"postgresql://me@{host}/app")
    assert url.local is local
    assert ("sslmode" in url.params) is not local


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full", "disable"])
def test_sslmode_as_written(mode: str) -> None:
    assert parse(f"postgresql://me@db.example.com/app?sslmode={mode}").params["sslmode"] == mode


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is set, but empty"),
        (" ", "it is set, but empty"),
        ("mysql://me:Zx9qWv7k@localhost/app", "it is no PostgreSQL URL"),
        ("postgresql+asyncpg://me:Zx9qWv7k@localhost/app", 'it names the driver "asyncpg"'),
        ("host=localhost password=Zx9qWv7k", "it is no PostgreSQL URL"),
        ("Zx9qWv7k", "it is no PostgreSQL URL"),
        ("postgresql://me:Zx9qWv7k@localhost", "it names no database"),
        ("postgresql://me:Zx9qWv7k@localhost/", "it names no database"),
        ("postgresql://me:Zx9qWv7k@localhost:54x/app", "its port is no number"),
        ("postgresql://me:Zx9qWv7k@localhost:5432x/app", "its port is no number"),
        ("postgresql://me:Zx9qWv7k@localhost/app?sslmod=require", 'unknown parameter "sslmod"'),
        ("postgresql://me:Zx9qWv7k@localhost/app?service=other", 'the parameter "service" hides'),
        ("postgresql://me:Zx9qWv7k@[::1/app", "it is malformed"),
        ("postgresql://me:Zx9q%Wv7k@localhost/app", "it is malformed"),
        ("postgresql://me:Zx9q%FFWv7k@localhost/app", "it is malformed"),
        ("postgresql://me:Zx9q\udcffWv7k@localhost/app", "it is malformed"),
        ("postgresql://me:Zx9q@localhost/app\0Wv7k", "it holds an unescaped character"),
        ("postgresql://me:Zx9qWv7k@db.example.com/app?sslmode=prefer", "sslmode=prefer lets anyone"),
        ("postgresql://me:Zx9qWv7k@db.example.com/app?sslmode=allow", "sslmode=allow lets anyone"),
        ("postgresql://me:Zx9qWv7k@db.example.com/app?sslmode=off", "its sslmode does not exist"),
        ("postgresql://me:Zx9qWv7k@localhost/app?sslmode=off", "its sslmode does not exist"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    """Each is refused for its own reason, with a cure, and without what it holds."""
    with pytest.raises(InvalidURL, match=f"^DATABASE_URL cannot be used: {reason}") as caught:
        parse(text)
    assert caught.value.hint
    assert "Zx9q" not in str(caught.value)
    assert "Wv7k" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("character", [*"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", " ", "é"])
def test_unescaped_password(character: str) -> None:
    """A password with a character that nobody escaped never ends up in a host name, nor in an error."""
    for secret in (f"Zx9q{character}Wv7k", f"{character}Zx9qWv7k", f"Zx9qWv7k{character}", f"12{character}Zx9qWv7k"):
        shown = ""
        try:
            url = parse(f"postgresql://me:{secret}@db.example.com/app")
        except InvalidURL as error:
            shown = str(error)
        else:
            assert url.params["password"] == secret
            assert url.host == "db.example.com"
            shown = f"{url} {url!r}"
        assert "Zx9q" not in shown
        assert "Wv7k" not in shown


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@given(
    user=_TEXT,
    password=_TEXT,
    dbname=_TEXT,
    host=st.sampled_from(["localhost", "/a b/c%d", "::1", "db.example.com", "@x", "a,b", "fe80::1%eth0"]),
    options=st.none() | _TEXT,
)
def test_printed_url_leads_to_the_same(user: str, password: str, dbname: str, host: str, options: str | None) -> None:
    """Whatever a URL holds, its text is read back as the same, by us and by libpq, and its str holds no password."""
    params = {"user": user, "password": password, "host": host, "dbname": dbname, "sslmode": "require"}
    if options:
        params["application_name"] = options
    url = ConnectionURL("DATABASE_URL", params)
    assert conninfo_to_dict(url.text()) == params
    assert parse(url.text()).params == params
    assert ConnectionURL("DATABASE_URL", params | {"password": "***"}).text() == str(url)


def test_no_secret_shown() -> None:
    """Neither str nor repr shows a password, whichever parameter it is."""
    url = parse("postgresql://me:Zx9q@localhost/app?sslpassword=Wv7k&sslkey=/k")
    assert str(url) == "postgresql://me:***@localhost/app?sslkey=/k&sslpassword=***"
    assert repr(url) == "ConnectionURL(variable='DATABASE_URL')"
    assert url.params["sslpassword"] == "Wv7k"


@pytest.mark.parametrize(
    ("host", "pooled"),
    [
        ("ep-cool-1-pooler.eu-central-1.aws.neon.tech", True),
        ("ep-cool-1.eu-central-1.aws.neon.tech", False),
        ("ep-1.neon.tech,ep-1-pooler.neon.tech", True),
        ("pooler.example.com", False),
    ],
)
def test_pooled(host: str, pooled: bool) -> None:
    assert parse(f"postgresql://me@{host}/app").pooled is pooled


def test_on() -> None:
    """Another database of the same server, as the same login, from the same variable."""
    url = parse("postgresql://me:pw@db.example.com/app?application_name=x")
    other = url.on("other")
    assert (other.variable, other.params) == (url.variable, {**url.params, "dbname": "other"})


def test_driver() -> None:
    """What SQLAlchemy writes of psycopg is taken for what it is."""
    for scheme in ("postgresql+psycopg", "postgres+psycopg", "postgresql+psycopg_async"):
        assert ConnectionURL.parse(f"{scheme}://me@localhost/app", "DATABASE_URL").params["dbname"] == "app"


def test_options_are_not_shown() -> None:
    """Settings that travel in a URL may be passwords: they are sent, and never shown."""
    url = ConnectionURL.parse("postgresql://u@localhost/d?options=-c%20my.password%3DZx9q", "X")
    assert "Zx9q" in url.conninfo()
    assert "Zx9q" not in f"{url} {url!r}"
