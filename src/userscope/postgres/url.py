"""Connection URLs: parsed once, with TLS settled, and never shown with their password."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from userscope.errors import InvalidURL
from userscope.postgres import libpq

_SCHEMES = ("postgresql://", "postgres://")
_DRIVER = re.compile(r"postgres(?:ql)?\+(\w+)(?=://)")
EMBEDDED = "embedded server"
"""Where the URL of the embedded server comes from, instead of a variable."""

_EXAMPLE = "Write it as postgresql://USER:PASSWORD@HOST/DATABASE."
_ESCAPES = "In user and password write @ as %40, / as %2F, ? as %3F, : as %3A, % as %25 and a space as %20."
_MALFORMED = f"{_EXAMPLE} {_ESCAPES} In the value of a parameter write = as %3D."
_UNESCAPED = re.compile(
    r"[\s\0]"
    r"|//[^/?]*@[^/?]*@"  # a second @ before the host's end
    r"|//[^@/?]*[/?].*[^=@]@"  # an @ after the host's end, where none was before: only a socket "@name" has one there
)
# Settings may be passwords as well: options=-c my.password=…
_SECRETS = {"password", "sslpassword", "oauth_client_secret", "options"}


@dataclass(frozen=True)
class ConnectionURL:
    """One way to reach a database: libpq's parameters, and the variable they came from."""

    variable: str
    params: Mapping[str, str] = field(repr=False)
    patience: float = field(default=10, repr=False, compare=False)
    """Seconds to wait for a server that does not answer; the parameter connect_timeout goes before it."""

    @classmethod
    def parse(cls, text: str, variable: str) -> Self:
        """Parse ``postgres://`` or ``postgresql://``. Raises InvalidURL, which never repeats the text.

        A remote host without sslmode gets ``require``; ``allow`` and ``prefer`` are refused, since an attacker on the
        road turns both into ``disable``. libpq's variables count where they ask for more than the text (PGSSLMODE).
        """
        text = text.strip()
        if (written := _DRIVER.match(text)) and written[1] not in ("psycopg", "psycopg_async"):
            raise InvalidURL(
                variable, f'it names the driver "{written[1]}"', "Write postgresql:// alone: the driver is psycopg 3."
            )
        text = _DRIVER.sub("postgresql", text, count=1)
        if not text.startswith(_SCHEMES):
            raise InvalidURL(variable, "it is no PostgreSQL URL" if text else "it is set, but empty", _EXAMPLE)
        if _UNESCAPED.search(text):
            # libpq would take the rest of the password for a host, and show it in its own errors.
            raise InvalidURL(variable, "it holds an unescaped character", _ESCAPES)
        try:
            params = {name: str(value) for name, value in conninfo_to_dict(text).items() if value is not None}
        except (psycopg.Error, UnicodeError) as error:
            # libpq's sentence may quote the URL; only the name of an unknown parameter is safe to repeat.
            unknown = str(error).partition("invalid URI query parameter:")[2].strip()
            if unknown:
                raise InvalidURL(variable, f"unknown parameter {unknown}", _EXAMPLE) from None
            raise InvalidURL(variable, "it is malformed", _MALFORMED) from None
        if "service" in params:
            raise InvalidURL(variable, 'the parameter "service" hides what it connects to', _EXAMPLE)
        if not all(port.isascii() and port.isdigit() for port in params.get("port", "").split(",") if port):
            raise InvalidURL(variable, "its port is no number", _EXAMPLE)
        if not params.get("dbname"):
            raise InvalidURL(variable, "it names no database", _EXAMPLE)
        mode = params.get("sslmode", "require")
        if mode not in libpq.MODES:
            raise InvalidURL(variable, "its sslmode does not exist", f"Choose one of: {', '.join(libpq.MODES)}.")
        url = cls(variable, params)
        if not url.local:
            if mode in ("allow", "prefer"):
                raise InvalidURL(
                    variable,
                    f"sslmode={mode} lets anyone on the road turn encryption off",
                    "Write sslmode=require or stronger; sslmode=disable where the road itself is private.",
                )
            params["sslmode"] = mode
        return cls(variable, params | libpq.stricter(params)) if url.by_tcp else url

    @property
    def host(self) -> str:
        """The host as written, or the folder of a Unix socket; empty for libpq's default socket."""
        return self.params.get("host") or self.params.get("hostaddr", "")

    @property
    def place(self) -> str:
        """The host with its port, where that is written."""
        return ":".join(filter(None, (self.host, self.params.get("port"))))

    @property
    def user(self) -> str:
        """The role to log in as; empty where the URL leaves it to libpq."""
        return self.params.get("user", "")

    @property
    def local(self) -> bool:
        """Whether every host is this machine: a Unix socket, localhost or a loopback address."""
        hosts = f"{self.params.get('host', '')},{self.params.get('hostaddr', '')}".split(",")
        return all(is_local(host) for host in hosts if host)

    @property
    def by_tcp(self) -> bool:
        """Whether a host is reached by TCP, rather than by a Unix socket."""
        return bool(self.params.get("hostaddr")) or any(
            host and not host.startswith(("/", "@")) for host in self.params.get("host", "").split(",")
        )

    @property
    def pooled(self) -> bool:
        """Whether the host is a transaction pooler by Neon's naming (``…-pooler``)."""
        return any(host.partition(".")[0].endswith("-pooler") for host in self.host.split(","))

    @property
    def connect_timeout(self) -> int:
        """Seconds that connecting may take: libpq's, which knows no fewer than two."""
        return max(2, round(self.patience))

    def on(self, dbname: str) -> Self:
        """Return the same login's URL of another database on that server."""
        return replace(self, params={**self.params, "dbname": dbname})

    def each(self) -> list[Self]:
        """Return a URL for each of its hosts. Raises InvalidURL where there are other numbers of ports or addresses."""
        names = [name for name in ("host", "hostaddr", "port") if self.params.get(name)]
        lists = [self.params[name].split(",") for name in names]
        several = max((len(values) for name, values in zip(names, lists, strict=True) if name != "port"), default=1)
        if names[-1:] == ["port"] and len(lists[-1]) == 1:
            lists[-1] *= several
        if any(len(values) != several for values in lists):
            raise InvalidURL(self.variable, "it has not one port for all of its hosts, or one for each", _EXAMPLE)
        rest = {name: value for name, value in self.params.items() if name not in names}
        own = (zip(names, values, strict=True) for values in zip(*lists, strict=True)) if lists else [()]
        return [replace(self, params=rest | {name: value for name, value in each if value}) for each in own]

    def with_defaults(self, **defaults: str) -> Self:
        """Return the same URL with what it leaves out of ``defaults``."""
        return replace(self, params={**defaults, **self.params})

    def conninfo(self, **overrides: str) -> str:
        """Return libpq's connection string, password included; libpq's variables lead it nowhere else."""
        return make_conninfo(**libpq.closed({**self.params, **overrides}))

    def text(self) -> str:
        """Return the URL with its password, to print where a person asked for it."""
        return _render(self.params)

    def __str__(self) -> str:
        return _render({name: "***" if name in _SECRETS else value for name, value in self.params.items()})


def _render(params: Mapping[str, str]) -> str:
    """Write a URL that ``ConnectionURL.parse`` reads back as ``params``."""
    rest = {k: v for k, v in params.items() if k not in ("user", "password", "host", "port", "dbname")}
    host, port = params.get("host", ""), params.get("port", "")
    if "/" in host or "," in host or host.startswith("@") or not host:
        # A socket, or several hosts: the place of a single one in a URL does not hold them.
        rest = {k: v for k, v in (("host", host), ("port", port)) if v} | rest
        netloc = ""
    else:
        netloc = (f"[{quote(host, safe=':')}]" if ":" in host else quote(host, safe="")) + (f":{port}" if port else "")
    login = quote(params.get("user", ""), safe="")
    if "password" in params:
        login += f":{quote(params['password'], safe='*')}"
    query = f"?{urlencode(rest, safe='/*', quote_via=quote)}" if rest else ""
    return f"postgresql://{login}{'@' if login else ''}{netloc}/{quote(params['dbname'], safe='')}{query}"


def is_local(host: str) -> bool:
    """Whether a host is this machine: the folder of a Unix socket, localhost or a loopback address."""
    if host.startswith(("/", "@")) or host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
