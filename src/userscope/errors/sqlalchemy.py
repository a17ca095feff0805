"""Our errors as SQLAlchemy's, so that ``except IntegrityError`` in a service, or in a library of it, catches Conflict.

A module of its own: commands raise the same errors, and need no SQLAlchemy for it. Who opens sessions imports this.
"""

from sqlalchemy import exc
from sqlalchemy.orm import exc as orm_exc

from userscope.errors import database

SAME: dict[type[database.DatabaseError], type[Exception]] = {
    database.DatabaseError: exc.DatabaseError,
    database.NotPermitted: exc.ProgrammingError,
    database.NotMember: exc.ProgrammingError,
    database.NotInvited: exc.ProgrammingError,
    database.Conflict: exc.IntegrityError,
    database.InvitationOver: exc.IntegrityError,
    database.StaleRow: orm_exc.StaleDataError,
    database.RowGone: orm_exc.ObjectDeletedError,
    database.InvalidValue: exc.DataError,
    database.BrokenConstraint: exc.IntegrityError,
    database.UnknownReference: exc.IntegrityError,
    database.SealRejected: exc.OperationalError,
    database.Retryable: exc.OperationalError,
    database.Unavailable: exc.OperationalError,
    database.PoolExhausted: exc.TimeoutError,
}
"""What SQLAlchemy calls each of them."""

for _ours, _theirs in SAME.items():
    if not issubclass(_ours, _theirs):
        _ours.__bases__ = (*_ours.__bases__, _theirs)
