"""One server of its own, with the roles of a platform; each shape is a small database in it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.clusters import Cluster, cluster_of
from userscope.probe import run
from userscope.probe.run import Options, Result

if TYPE_CHECKING:
    from userscope.postgres.url import ConnectionURL

SHAPES = Path(__file__).parent / "shapes"
ROLES = ("shape_owner login", "shape_desk nologin", "anon nologin", "authenticated nologin")

type Probe = Callable[..., Result]


@pytest.fixture(scope="session")
def platform() -> Iterator[Cluster]:
    """The server; its database ``platform`` is what every shape stands on."""
    with cluster_of() as made:
        yield prepared(made)


@pytest.fixture(scope="session")
def platform15() -> Iterator[Cluster]:
    """The same on PostgreSQL 15."""
    with cluster_of(version=15) as made:
        yield prepared(made)


def prepared(cluster: Cluster) -> Cluster:
    """Make the roles, and what every shape stands on."""
    with cluster.superuser_connection() as connection:
        for role in ROLES:
            connection.execute(f"create role {role}".encode())
    cluster.create_database("platform", owner="shape_owner")
    with cluster.superuser_connection("platform") as connection:
        connection.execute((SHAPES / "platform.sql").read_bytes())
    return cluster


def probed(cluster: Cluster, sql: str, options: Options | None = None, template: str = "platform") -> Result:
    """Probe a database that ``sql`` makes of the platform; it is gone afterwards, and so are memberships."""
    made = cluster.clone(template, owner="shape_owner")
    try:
        with made.superuser_connection() as connection:
            connection.execute(f"set role shape_owner;{sql}".encode())
        url: ConnectionURL = cluster.url("admin", dbname=made.name)
        return run.probe(url, options or Options())
    finally:
        made.drop()
        with cluster.superuser_connection() as connection:
            connection.execute(
                b"revoke shape_desk, shape_owner from authenticated; revoke authenticated from shape_desk; "
                b"drop role if exists shape_super"
            )


@pytest.fixture
def probe(platform: Cluster) -> Probe:
    """Probes what a script makes of the platform."""
    return lambda sql, options=None: probed(platform, sql, options)
