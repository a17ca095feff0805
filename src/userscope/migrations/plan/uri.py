"""Project URIs as Perl's URI module writes them: ids hash the canonical form, the registry stores the escaped one.

``urllib`` will not do: it loses a bare ``?`` and decodes by other rules.
"""

import re

from userscope.errors import PlanError

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9.+\-]*):")
_PARTS = re.compile(r"((?:[a-zA-Z][a-zA-Z0-9.+\-]*:)?)//([^/?#]*)(.*)", re.DOTALL)
_UNRESERVED = re.compile(r"[A-Za-z0-9\-_.!~*'()]")
_UNSAFE = re.compile(r"[^;/?:@&=+$,A-Za-z0-9\-_.!~*'()%#]")
# Schemes whose host and port have a canonical form.
_PORTS = {
    "ftp": 21,
    "gopher": 70,
    "http": 80,
    "https": 443,
    "mms": 1755,
    "news": 119,
    "nntp": 119,
    "nntps": 563,
    "pop": 110,
    "rlogin": 513,
    "rsync": 873,
    "rtsp": 554,
    "rtspu": 554,
    "sftp": 22,
    "snews": 563,
    "ssh": 22,
    "telnet": 23,
    "tn3270": 23,
}
# A database's own address names a project now and then: the scheme's canonical name, and its port.
_DATABASES = {
    **dict.fromkeys(("pg", "pgsql", "pgxc", "postgres", "postgresql", "postgresxc", "redshift"), ("pg", 5432)),
    **dict.fromkeys(("yugabyte", "yugabytedb"), ("pg", 5433)),
    **dict.fromkeys(("cockroach", "cockroachdb"), ("cockroach", 26257)),
    **dict.fromkeys(("maria", "mariadb", "mysql"), ("mysql", 3306)),
    **dict.fromkeys(("mssql", "sqlserver"), ("mssql", 1433)),
    "exasol": ("exasol", 8563),
    "firebird": ("firebird", 3050),
    "oracle": ("oracle", 1521),
    "snowflake": ("snowflake", 443),
    "vertica": ("vertica", 5433),
}
_PORTS |= {scheme: port for scheme, (_, port) in _DATABASES.items()}
# Perl has rules of their own for these, which name no project.
_STRANGE = re.compile(
    r"ldap[a-z]*|sips?|db2?|cassandra|couch(db)?|cubrid|derby|hive|impala|informix|ingres|interbase|max(db)?|monet(db)?"
    r"|mongo(db)?|sqlite3?|sybase|teradata|unify"
)


def escaped(text: str) -> str:
    """Return the URI with everything unsafe %-encoded as UTF-8, and wrapping such as ``<URL:…>`` taken off.

    Raises PlanError for a scheme whose canonical form is not known.
    """
    text = re.sub(r"\A<(?:URL:)?(.*)>\Z", r"\1", text)
    text = re.sub(r'\A"(.*)"\Z', r"\1", text).strip()
    scheme = match[1].lower() if (match := _SCHEME.match(text)) else ""
    if _STRANGE.fullmatch(scheme):
        raise PlanError(
            f'the URI of a project cannot begin with "{scheme}:"',
            hint="Use an https URI; but where changes are deployed already, it stays: leave them to Sqitch.",
        )
    if scheme in _PORTS and (parts := _PARTS.fullmatch(text)):
        text = f"{parts[1]}//{_ascii_host(parts[2])}{parts[3]}"
    text = _UNSAFE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), text)
    if (parts := _PARTS.fullmatch(text)) and scheme != "mailto":
        # Brackets stand around an IPv6 address.
        user, at, host = parts[2].rpartition("@")
        host = re.sub("%5B", "[", host, flags=re.IGNORECASE)
        host = re.sub("%5D", "]", host, flags=re.IGNORECASE)
        text = f"{parts[1]}//{user}{at}{host}{parts[3]}"
    return text


def canonical(uri: str) -> str:
    """Return the canonical form of an escaped URI. Raises PlanError where its host is %-encoded in part."""
    if match := _SCHEME.match(uri):
        uri = match[1].lower() + uri[match.end(1) :]
    uri = re.sub(r"\Aurn:[^:%]*(?=:|\Z)", lambda match: match[0].lower(), uri)
    uri = re.sub(r"%([0-9a-fA-F]{2})", _unescape, uri)
    scheme = uri.partition(":")[0]
    if scheme in _DATABASES:
        uri = _DATABASES[scheme][0] + uri.removeprefix(scheme)
    parts = _PARTS.fullmatch(uri)
    if parts is None:
        return uri
    if scheme == "file" and parts[2].lower() == "localhost":
        return f"{parts[1]}//{parts[3]}"
    if scheme not in _PORTS:
        return uri
    user, at, host = parts[2].rpartition("@")
    if "%" in host and re.search("[A-Z]", re.sub("%..", "", host)):
        raise PlanError(f'the URI "{uri}" has a %-encoded host', hint="Write the host as it is.")
    port = re.search(r":(\d*)\Z", host)
    if port is not None and (port[1] == "" or int(port[1]) == _PORTS[scheme]):
        host = host[: port.start()]
    rest = parts[3]
    if scheme in ("http", "https") and rest[:1] in ("", "#"):
        rest = f"/{rest}"
    return f"{parts[1]}//{user}{at}{host.lower()}{rest}"


def _ascii_host(authority: str) -> str:
    """Encode a host beyond ASCII as Perl does: Punycode of the lower-case labels."""
    user, at, host = authority.rpartition("@")
    labels = host.split(".")
    if host.isascii() or any(not label for label in labels[:-1]):
        return authority
    encoded = [label if label.isascii() else f"xn--{label.lower().encode('punycode').decode()}" for label in labels]
    return authority if any(len(label) > 63 for label in encoded) else f"{user}{at}{'.'.join(encoded)}"


def _unescape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if _UNRESERVED.fullmatch(character) else f"%{match[1].upper()}"
