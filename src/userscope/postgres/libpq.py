"""What libpq takes from its environment (PGHOSTADDR, PGSERVICE, PGSSLMODE, …), and what it may take for a URL of ours.

A URL alone says where it leads. Credentials that it leaves out may come from the environment, and so may whatever asks
for more safety than it does. Everything else has libpq's own default.
"""

import os
from collections.abc import Mapping

from psycopg.pq import Conninfo

MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""libpq's sslmodes, the stricter the later."""

_OPTIONS = {option.keyword.decode(): option for option in Conninfo.parse(b"")}
VARIABLES = {name: (option.envvar or b"").decode() for name, option in _OPTIONS.items()}
"""Every parameter that libpq knows, with the variable that it is taken from; some have none."""

_CREDENTIALS = {"user", "password", "passfile", "scram_client_key", "scram_server_key"}
_HARMLESS = {"application_name", "fallback_application_name", "connect_timeout", "client_encoding"}
_RESTRICTING = {"require_auth", "requirepeer"}
"""What can only narrow down whom libpq talks to."""

_TCP = {"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"}
_STRICTER = {
    "channel_binding": "require",
    "gssencmode": "require",
    "sslcertmode": "require",
    "ssl_min_protocol_version": "TLSv1.3",
}
"""What asks for more than the default by one value."""

_TRUST = ("sslrootcert", "sslcrl", "sslcrldir", "sslcert", "sslkey")
"""By which certificates a server is known, and this client."""

# A parameter that a URL leaves out must be given: only so libpq does not look for it elsewhere.
_UNSPOKEN = {"sslcertmode": "allow", "min_protocol_version": "3.0", "max_protocol_version": "3.0"}
_DEFAULTS = {
    name: _UNSPOKEN.get(name) or (option.compiled or b"").decode()
    for name, option in _OPTIONS.items()
    if name not in _CREDENTIALS | _HARMLESS | _RESTRICTING | _TCP | {"service", "dbname"}
}


def closed(params: Mapping[str, str]) -> dict[str, str]:
    """Return all that libpq must be told so that neither its variables nor a service file leads it elsewhere."""
    return {**_DEFAULTS, "client_encoding": "utf8", **params}


def stricter(params: Mapping[str, str]) -> dict[str, str]:
    """Return what the environment asks for beyond ``params``, those of a connection by TCP.

    ``sslmode=disable`` is taken at its word: it must be written out.
    """
    written = params.get("sslmode")
    if written == "disable":
        return {}
    told = {name: text for name, variable in VARIABLES.items() if (text := os.environ.get(variable))}
    more = {name: told[name] for name in _TRUST if name in told and name not in params}
    more |= {name: text for name, text in _STRICTER.items() if told.get(name) == text and name not in params}
    wanted = told.get("sslmode") or ("require" if os.environ.get("PGREQUIRESSL") == "1" else "")
    # libpq means a whole verification by the system's authorities, and takes nothing less beside them.
    modes = [written, wanted, "verify-full" if params.get("sslrootcert", more.get("sslrootcert")) == "system" else None]
    strictest = max((mode for mode in modes if mode in MODES), key=MODES.index, default="")
    return more | ({"sslmode": strictest} if strictest in MODES[3:] else {})


def cleaned(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without anything that would lead libpq elsewhere; credentials and names stay."""
    ours = _CREDENTIALS | _HARMLESS | _RESTRICTING
    leading = {variable for name, variable in VARIABLES.items() if name not in ours}
    leading |= {"PGSERVICEFILE", "PGSYSCONFDIR", "PGREQUIRESSL"}
    return {name: text for name, text in environment.items() if name not in leading}
