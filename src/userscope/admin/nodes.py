"""The nodes of a database that Citus distributes: what each lacks of what keeps users apart, and how it gets that.

Citus repeats migrations on its workers; it does not repeat rights on its own functions or on a database, nor, on a node
that is added later, what is set for a database.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from userscope.admin.permission import permitted
from userscope.errors import ConfigurationError, DatabaseError
from userscope.postgres.citus import PLACE, a_worker
from userscope.postgres.connect import connect
from userscope.postgres.sql import literal, named
from userscope.postgres.url import ConnectionURL

_LACKING, _CLOSED, _SAME = (named(__package__, f"node{name}.sql") for name in ("", "_closed", "_same"))

_NODES = """
select nodeid, nodename, nodeport, groupid = 0, isactive
  from pg_dist_node where noderole = 'primary' order by groupid, nodeid
"""
_EVERYWHERE = "select nodeid, success, result from run_command_on_all_nodes(%s)"
_KEYS = """
select format('%I.%I', nspname, relname || '_' || shardid)
  from pg_dist_shard join pg_class on pg_class.oid = logicalrelid join pg_namespace on pg_namespace.oid = relnamespace
 where nspname = 'app_private' and relname = 'seal_keys'
"""
_LOGINS = """
select rolname, rolpassword, array_agg(pg_get_userbyid(roleid)::text order by 1)
  from pg_authid join pg_auth_members on member = pg_authid.oid
 where rolcanlogin and pg_get_userbyid(roleid) in ('app_user', 'app_auth')
 group by rolname, rolpassword
"""
_GRANTED = """
select jsonb_agg(row_to_json(granted))::text from (
  select pg_proc.oid::regprocedure::text as function, pg_get_userbyid(grantee) as grantee
    from pg_proc join pg_namespace on pg_namespace.oid = pronamespace, aclexplode(proacl)
   where nspname in ('app', 'app_fenced') and grantee not in (0, proowner)) as granted
"""
_WHERE_MISSING = "do $login$ begin if not exists (select from pg_roles where rolname = {}) then {}; end if; end $login$"


@dataclass(frozen=True)
class Node:
    """One node, and what it lacks: nothing, where it is as it should be."""

    node: str
    coordinator: bool
    problems: tuple[str, ...]


def check(admin: ConnectionURL) -> list[Node]:
    """Ask every node, the coordinator first.

    Raises ConfigurationError where the database is on one node alone, or its migrations were not made for several, or
    this is not the coordinator.
    """
    with _connect(admin) as connection:
        return _check(connection)


def found(admin: ConnectionURL) -> list[Node]:
    """As ``check``; nothing of a database on one node alone, and else what is wrong as the coordinator's problem.

    Raises ConfigurationError on a worker.
    """
    with connect(admin, autocommit=True) as connection:
        if not distributed(connection):
            return []
    try:
        return check(admin)
    except (ConfigurationError, DatabaseError) as error:
        return [Node(admin.host, coordinator=True, problems=(error.summary,))]


def apply(admin: ConnectionURL) -> list[Node]:
    """Give every node what it lacks, as far as that can be done from here, and ask again. Raises as ``check``."""
    with _connect(admin) as connection:
        _same(connection)
        connection.execute("select app_private.judge_rows(logicalrelid) from pg_dist_partition")
        refused: dict[int, str] = {}
        for command in (*_logins(connection), _closed(connection)):
            rows = connection.execute(_EVERYWHERE, [command]).fetchall()
            refused |= {node: _said(result) for node, success, result in rows if not success}
        connection.execute("select replicate_reference_tables()")  # to a node that was added later
        return _check(connection, refused)


def _check(connection: psycopg.Connection, refused: Mapping[int, str] | None = None) -> list[Node]:
    same = dict(_asked(connection, _same(connection)))
    lacking = dict(_asked(connection, _LACKING))
    nodes = connection.execute(_NODES).fetchall()
    right = next((same.get(node) for node, *_, coordinator, _ in nodes if coordinator), None)
    checked = []
    for node, host, port, coordinator, active in nodes:
        problems = _problems(lacking.get(node), same.get(node), right) if active else ["it is not active"]
        told = [f"it could not be changed: {refused[node]}"] if refused and node in refused else []
        checked.append(Node(f"{host}:{port}", coordinator, (*told, *problems)))
    return checked


def _same(connection: psycopg.Connection) -> str:
    """Return the question for what must be the same everywhere, which names a node's own copies of the keys."""
    copy = connection.execute(_KEYS).fetchone()
    if copy is None:
        raise ConfigurationError(
            "the migrations of this database were not made for several nodes",
            detail="It has Citus, and the project distributed is not deployed: no identity would reach another node.",
            hint='Write distributed = true under [tool.userscope] in pyproject.toml, and run "userscope migrate".',
        )
    return _SAME.replace("/* seal_keys */", copy[0])


def _closed(connection: psycopg.Connection) -> str:
    granted = connection.execute(_GRANTED).fetchone()
    return _CLOSED.replace("/* granted */", literal(granted[0] if granted and granted[0] else "[]") + "::jsonb")


def _problems(lacking: object, own: object, right: object) -> Iterator[str]:
    if not isinstance(lacking, list):
        yield f"it could not be asked: {lacking}"
        return
    yield from map(str, lacking)
    if not isinstance(own, Mapping) or not isinstance(right, Mapping):
        yield f"it could not be compared: {right if isinstance(own, Mapping) else own}"
        return
    for name, digest in right.items():
        if own.get(name) != digest:
            yield f"the {name} is {"not the coordinator's" if name in own else 'missing'} there"


def _asked(connection: psycopg.Connection, question: str) -> Iterator[tuple[int, object]]:
    """Ask every node for one JSON value; where one could not answer, for what it said instead."""
    for node, success, result in connection.execute(_EVERYWHERE, [question]).fetchall():
        yield node, json.loads(result) if success else _said(result)


def _said(result: str) -> str:
    return result.partition("\n")[0].removeprefix("ERROR:").strip()


def _logins(connection: psycopg.Connection) -> Iterator[str]:
    """Yield what makes each login where it is missing: one that was made in a database without Citus is on one node."""
    if connection.info.parameter_status("is_superuser") != "on":
        return  # the verifiers of passwords are not for others
    for name, verifier, roles in connection.execute(_LOGINS).fetchall():
        login = sql.Identifier(name)
        made = sql.SQL("create role {} login nosuperuser nobypassrls password {}").format(login, sql.Literal(verifier))
        grants = [sql.SQL("grant {} to {}").format(sql.Identifier(role), login) for role in roles]
        body = sql.SQL("; ").join([sql.SQL("set local citus.enable_ddl_propagation = off"), made, *grants])
        yield sql.SQL(_WHERE_MISSING).format(sql.Literal(name), body).as_string(connection)


def distributed(connection: psycopg.Connection) -> bool:
    """Whether the database has Citus, and so may be on several nodes. Raises ConfigurationError on a worker."""
    has_citus, worker = connection.execute(PLACE.encode()).fetchone() or (False, False)
    if worker:
        raise a_worker()
    return bool(has_citus)


@contextmanager
def _connect(admin: ConnectionURL) -> Iterator[psycopg.Connection]:
    """Connect, each statement on its own. Raises ConfigurationError without Citus, and words what is refused."""
    with connect(admin, autocommit=True) as connection:
        if not distributed(connection):
            raise ConfigurationError(
                "this database is on one node: it has no Citus",
                detail="There are no other nodes to be looked after.",
                hint="docs/citus.md says how one node becomes several.",
            )
        owner = "Citus' functions are for who made the extension: set ADMIN_DATABASE_URL to that login."
        try:
            with permitted(connection, "ask the nodes", owner):
                connection.execute("set search_path = pg_catalog, pg_temp")
                yield connection
        except psycopg.Error as error:
            raise DatabaseError(
                "the nodes could not be asked",
                detail=f"PostgreSQL said: {error.diag.message_primary or error}.",
                hint="Is each of them up? select * from citus_check_cluster_node_health()",
                sqlstate=error.sqlstate,
            ) from error
