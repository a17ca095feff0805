"""Targets of sqitch.conf: which database one is, found as Sqitch finds it."""

import getpass
import os
import re
from collections.abc import Sequence
from urllib.parse import quote

from userscope.errors import ConfigurationError, PooledHost
from userscope.migrations.projects import Project, is_shipped
from userscope.postgres.url import ConnectionURL

_DATABASE = re.compile(r"db:(?P<engine>[^:]*):(?P<server>//[^/?#]*)?/*(?P<database>[^?#]*)(?P<rest>.*)", re.DOTALL)
_ENGINES = {"pg", "postgres", "postgresql", "pgsql"}
# What a URI leaves out is libpq's to find, when Sqitch runs psql.
_ENVIRONMENT = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
_BEFORE_URI = {"user": "SQITCH_USERNAME", "password": "SQITCH_PASSWORD"}


def url_of(projects: Sequence[Project], target: str) -> ConnectionURL:
    """Return where a target is, which must be the same in all projects but those that userscope brings.

    Raises ConfigurationError for a target that is not there, that has no URI, or is no PostgreSQL database.
    """
    found = [
        (project, _url(project, target))
        for project in projects
        if not is_shipped(project) or _defines(project, target) or ":" in target
    ]
    if not found:
        raise _unknown(projects[0], target)
    first, url = found[0]
    for project, other in found:
        if other.params != url.params:
            raise ConfigurationError(
                f'target "{target}" is one database in "{first.name}" and another in "{project.name}"',
                detail=f"These are {url} and {other}. Nothing was run.",
                hint="Run one after the other, each with its --project.",
            )
    if url.pooled:
        raise PooledHost(url.variable, url.host)
    return url


def _defines(project: Project, target: str) -> bool:
    return any(key.startswith(f"target.{target}.") for key in project.config)


def _unknown(project: Project, target: str) -> ConfigurationError:
    known = sorted({key.split(".")[1] for key in project.config if re.fullmatch(r"target\.[^.]+\.uri", key)})
    names = ", ".join(f'"{name}"' for name in known)
    return ConfigurationError(
        f'cannot find target "{target}"',
        detail=f'The sqitch.conf of "{project.name}", in {project.folder}, has '
        + (f"the targets {names}." if known else "no target."),
        hint=f'Name one of them, or add one: sqitch target add {target} "db:pg://USER@HOST/DATABASE".',
    )


def _url(project: Project, target: str) -> ConnectionURL:
    uri = target if ":" in target else project.config.get(f"target.{target}.uri")
    if not uri:
        if not _defines(project, target):
            raise _unknown(project, target)
        raise ConfigurationError(
            f'no URI is associated with target "{target}"', hint=f"Set target.{target}.uri in sqitch.conf."
        )
    named = "--target" if ":" in target else f'target "{target}"'
    match = _DATABASE.match(uri)
    if match is None or match["engine"].lower() not in _ENGINES:
        raise ConfigurationError(
            f"{named} is no PostgreSQL database",
            detail=f'The URI of its kind begins with "{uri.partition("//")[0][:40]}".',
            hint='Write it as "db:pg://USER@HOST/DATABASE", or deploy it with Sqitch.',
        )
    database = match["database"] or quote(_default_database(match["server"] or ""), safe="")
    written = ConnectionURL.parse(f"postgresql:{match['server'] or '//'}/{database}{match['rest']}", named)
    params = {
        **_told(_ENVIRONMENT),
        **{name: value for name, value in written.params.items() if value},
        **_told(_BEFORE_URI),
    }
    # Once more: where it leads decides what is asked of TLS.
    return ConnectionURL.parse(ConnectionURL(named, params).text(), named)


def _default_database(server: str) -> str:
    user = re.match(r"//([^:@]+)(?::[^@]*)?@", server)
    environ = os.environ
    return (
        environ.get("PGDATABASE")
        or environ.get("SQITCH_USERNAME")
        or (user[1] if user else environ.get("PGUSER"))
        or getpass.getuser()
    )


def _told(variables: dict[str, str]) -> dict[str, str]:
    return {name: value for name, variable in variables.items() if (value := os.environ.get(variable))}
