"""The keys that identities are sealed with, and whether a seal is required: what the admin does about them.

Whoever holds a key can act for anyone, so a key is shown once, by ``add``, and appears in no statement and no log.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg

from userscope.admin.permission import permitted
from userscope.errors import SealingError
from userscope.identity import SealKey
from userscope.postgres.connect import connect
from userscope.postgres.url import ConnectionURL


@dataclass(frozen=True)
class StoredKey:
    """A key as the database knows it, without its secret; ``retired_at`` is None while its seals are accepted."""

    id: str
    created_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True)
class Sealing:
    """Every key, oldest first, and whether a seal is required (None: the database cannot tell, and refuses)."""

    required: bool | None
    keys: tuple[StoredKey, ...]

    @property
    def active(self) -> tuple[StoredKey, ...]:
        """The keys whose seals are accepted."""
        return tuple(key for key in self.keys if key.retired_at is None)

    @property
    def stuck(self) -> bool:
        """Whether no identity is accepted at all: a seal is required, or that cannot be told, and none can be right."""
        return self.required is None or (self.required and not self.active)


def add(admin: ConnectionURL) -> tuple[SealKey, datetime]:
    """Make a key that is accepted from now on, beside those that are; return it and when it was made.

    It travels by binary COPY, which no setting of the server writes to its log, not even where the COPY fails.
    """
    key = SealKey.generate()
    with _connect(admin) as connection, connection.cursor() as cursor:
        with cursor.copy(
            "copy app_private.seal_keys (id, inner_pad, outer_pad) from stdin with (format binary)"
        ) as copy:
            copy.set_types(["text", "bytea", "bytea"])
            copy.write_row((key.id, *key.pads()))
        return key, next(stored.created_at for stored in _read(connection).keys if stored.id == key.id)


def read(admin: ConnectionURL) -> Sealing:
    """Return every key and whether a seal is required."""
    with _connect(admin) as connection:
        return _read(connection)


def retire(admin: ConnectionURL, key_id: str) -> datetime:
    """Accept no seal of this key any more, in running transactions either; return since when that holds.

    Raises SealingError where there is no such key, or it is the last active one and a seal is required.
    """
    with _connect(admin) as connection:
        sealing = _locked(connection)
        found = next((key for key in sealing.keys if key.id == key_id), None)
        if found is None:
            raise SealingError(
                f'there is no seal key "{key_id}"', hint='"userscope seal-key list" tells which keys there are.'
            )
        if found.retired_at is not None:
            return found.retired_at
        if sealing.required is not False and sealing.active == (found,):
            raise SealingError(
                f'the seal key "{key_id}" is the last active one',
                detail="A seal is required, so without a key no service could act for anybody.",
                hint='Make another with "userscope seal-key new" and give it to every service first.',
            )
        connection.execute("update app_private.seal_keys set retired_at = now() where id = %s", [key_id])
        retired = next(key.retired_at for key in _read(connection).keys if key.id == key_id)
        assert retired is not None  # noqa: S101  # it was set in this transaction
        return retired


def require(admin: ConnectionURL) -> None:
    """Accept no identity without a seal from now on. Raises SealingError where there is no active key."""
    with _connect(admin) as connection:
        if not _locked(connection).active:
            raise SealingError(
                "there is no active seal key",
                detail="With a seal required, no service could act for anybody.",
                hint='Make one with "userscope seal-key new" and give it to every service first.',
            )
        _set_required(connection, required=True)


def relax(admin: ConnectionURL) -> None:
    """Accept identities without a seal again; wrong seals stay refused."""
    with _connect(admin) as connection:
        _locked(connection)
        _set_required(connection, required=False)


def copy_required(source: psycopg.Connection, admin: ConnectionURL) -> None:
    """Have another database require seals or not, as ``source`` does: its helper has one of two bodies by that."""
    found = source.execute(
        "select lanname = 'sql' from pg_proc join pg_language on pg_language.oid = prolang "
        "where pg_proc.oid = to_regproc('app.current_user_key')"
    )
    for (required,) in found:
        with _connect(admin) as connection:
            _set_required(connection, required=required)


def services(admin: ConnectionURL) -> dict[str, int]:
    """Return which logins of app_user are connected to the database now, and by how many connections."""
    with _connect(admin) as connection:
        rows = connection.execute(
            "select usename::text, count(*) from pg_stat_activity join pg_roles on rolname = usename "
            "where datname = current_database() and not rolsuper "
            "and pg_has_role(usesysid, to_regrole('app_user'), 'MEMBER') group by usename order by usename"
        ).fetchall()
    return {str(name): int(count) for name, count in rows}


@contextmanager
def _connect(admin: ConnectionURL) -> Iterator[psycopg.Connection]:
    """Open a transaction as the admin. Raises SealingError or NotPermitted where the keys are out of its reach."""
    with connect(admin) as connection:
        owner = "Set ADMIN_DATABASE_URL to the login that migrates: it owns the keys."
        try:
            with permitted(connection, "manage seal keys", owner):
                connection.execute("set local search_path = pg_catalog, pg_temp")
                yield connection
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
            raise SealingError("the database was not migrated", hint='Run "userscope migrate" first.') from error


def _locked(connection: psycopg.Connection) -> Sealing:
    """Read with both tables locked against every other change, so that two at once cannot retire the last two keys."""
    connection.execute("lock table app_private.sealing, app_private.seal_keys in share row exclusive mode")
    return _read(connection)


def _read(connection: psycopg.Connection) -> Sealing:
    keys = connection.execute("select id, created_at, retired_at from app_private.seal_keys order by created_at, id")
    required = connection.execute("select required from app_private.sealing").fetchone()
    return Sealing(required[0] if required else None, tuple(StoredKey(*row) for row in keys))


def _set_required(connection: psycopg.Connection, *, required: bool) -> None:
    # The row may have been lost; that is one of the things this mends.
    connection.execute(
        "insert into app_private.sealing (required) values (%s) "
        "on conflict (one_row) do update set required = excluded.required",
        [required],
    )
