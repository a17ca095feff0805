"""What decides whether a connection may send: the scope that it has been given, and the cursor that asks."""

import threading
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn, Self, override

import psycopg
from psycopg.abc import PQGen
from psycopg.generators import fetch_many, send
from psycopg.pq import ExecStatus, PipelineStatus, TransactionStatus

from userscope.connection import position
from userscope.connection.lifetime import MortalConnection
from userscope.connection.scope import COMMIT, Command, Scope
from userscope.errors import OperationRefused, OutsideSession, SessionInUse
from userscope.postgres.sqlstate import FAILED, Silence

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from userscope.connection.replica import Identity, Replica

_SETTLED = {TransactionStatus.IDLE, TransactionStatus.INTRANS, TransactionStatus.INERROR}
_POSITION = Command(position.ASKED)
_USE_SESSION = "Use the session's own methods."
_USE_OPTIONS = (
    "Use the session's own methods. Types are registered by EngineOptions(on_connect=…), on a plain connection."
)


class _OneAtATime:
    """A lock that nobody waits for: who finds it taken is told so, instead of sending in between."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        if not self._lock.acquire(blocking=False):
            raise SessionInUse
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()


class ScopedConnectionBase(MortalConnection):
    """What both connections share: the scope, and who may send."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.lock: Any = _OneAtATime()
        self.scope: Scope | None = None
        self.replica: Replica | None = None
        """Where it leads; None to the primary."""
        self.distributed = False
        """Whether the database is on several nodes, by Citus."""
        self.leads_to: Identity | None = None
        """What that server and database said of themselves."""
        self.wants_position = False
        """Whether a COMMIT asks how far the primary's log is: there are replicas."""
        self.position: str | None = None
        """Where the primary's log was when the last COMMIT had been written."""
        self.authorized = False
        """Whether one of our own cursors is starting a query."""
        self._waiting = self._forsaken = False

    @property
    def idle(self) -> bool:
        """Whether no transaction is open; then there is nothing to commit or to roll back either."""
        return self.pgconn.transaction_status == TransactionStatus.IDLE

    @property
    def to_roll_back(self) -> bool:
        """Whether there is anything to roll back; not on the replica: what is lost there leaves nothing open."""
        return not (self.idle or self.ended or (self.replica and self.closed))

    @property
    def settled(self) -> bool:
        """Whether the connection lives, and nothing is under way in either direction."""
        return self.pgconn.transaction_status in _SETTLED and self.pgconn.pipeline_status == PipelineStatus.OFF

    def refuse_failed(self) -> None:
        """Raise InFailedSqlTransaction after a failed statement: PostgreSQL would roll back, and call that no error."""
        self.refuse_ended()
        if self.pgconn.transaction_status == TransactionStatus.INERROR:
            raise psycopg.errors.InFailedSqlTransaction(FAILED)

    def preamble(self, made_for: Scope | None, *, needs_block: bool = False) -> list[Command]:
        """Return what a cursor that was ``made_for`` a scope has to send first: nothing, inside a transaction.

        ``needs_block``: the operation takes several trips, which a reader cannot do. Raises SessionError.
        """
        self.refuse_ended()
        scope = self.scope
        if scope is None or scope is not made_for:
            raise OutsideSession
        idle = self.idle
        if needs_block and scope.autocommit and idle:
            raise OperationRefused(
                "a stream of rows",
                "Every statement of a reader is a transaction of one round trip; a stream takes several.",
                "Use Database.session(user_id), or read page by page.",
            )
        return scope.preamble(distributed=self.distributed) if idle else []

    def _bounded[T](self, work: PQGen[T]) -> PQGen[T]:
        """Do ``work``, which waits for the server; close the connection and raise Silence where nothing is heard.

        A network that lost every packet, a pooler that waits for a server, a COMMIT that waits for a standby: none of
        them ends by the server's own timeout. What has to be borne is that timeout and ``grace`` (seconds), counted
        from whatever was heard or sent last, so that a long answer may take as long as it likes.
        """
        patience = self.grace + (self.scope.patience if self.scope else 0)
        self._waiting = True
        try:
            awaited = next(work)
            heard = monotonic()
            while True:
                ready = yield awaited
                if self._forsaken:
                    raise SessionInUse
                if ready:
                    heard = monotonic()
                elif monotonic() - heard > patience:
                    work.close()
                    self.pgconn.finish()
                    raise Silence(f"nothing was heard for {patience:g} seconds")
                awaited = work.send(ready)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            work.close()
            self._waiting = False
            if self._forsaken:
                self.pgconn.finish()

    @override
    def _commit_gen(self) -> PQGen[None]:
        """Commit, and ask in the same trip how far the server's log is then, where there are replicas."""
        if not self.wants_position:
            yield from super()._commit_gen()
            return
        self._check_connection_ok()
        pgconn = self.pgconn
        pgconn.enter_pipeline_mode()
        for command in (COMMIT, _POSITION):
            command.send(pgconn)
        pgconn.pipeline_sync()
        yield from send(pgconn)
        answers: list[PGresult] = []
        failure: psycopg.Error | None = None
        try:
            while (answer := (yield from fetch_many(pgconn))[0]).status != ExecStatus.PIPELINE_SYNC:
                answers.append(answer)
            pgconn.exit_pipeline_mode()
        except psycopg.Error as error:
            failure = error
        if answers and answers[0].status != ExecStatus.COMMAND_OK:
            failure = psycopg.errors.error_from_result(answers[0], encoding=self.info.encoding)
        if failure:
            raise failure
        told = answers[1]
        # Refused by an administrator, it is not known; what was committed was.
        known = told.status == ExecStatus.TUPLES_OK
        self.position = position.told(told.get_value(0, 0), told.get_value(0, 1)) if known else None

    def forsake(self) -> bool:
        """Leave closing to another thread or task, if one is waiting for the server: its socket must not go under it.

        The socket's number may be the next connection's, which it would listen to then.
        """
        self._forsaken = self._waiting
        return self._forsaken

    def _interrupted(self, work: PQGen[Any], error: BaseException) -> None:
        """Close the connection if ``error`` came from outside and left something under way.

        What the server still answers must not be taken for the answer to the next statement.
        """
        work.close()
        if not isinstance(error, psycopg.Error) and not self.settled:
            self.pgconn.finish()

    @override
    def _start_query(self) -> PQGen[None]:
        if not self.authorized:
            raise OperationRefused(
                "a cursor of another class",
                "Only the cursors that the connection makes itself carry the identity, and that as bound parameters.",
                _USE_SESSION,
            )
        yield from super()._start_query()

    @property
    def prepare_threshold(self) -> int | None:
        """None: nothing is ever prepared, since DISCARD ALL and poolers would lose it."""
        return super().prepare_threshold

    @prepare_threshold.setter
    def prepare_threshold(self, value: int | None) -> None:
        if value is not None:
            raise refused("preparing statements", "A prepared statement can be re-defined under its name.")
        self._prepared.prepare_threshold = None

    def transaction(self, *_: object, **__: object) -> NoReturn:
        """Refuse: psycopg would send a BEGIN of its own."""
        raise OperationRefused("transaction()", "It would begin a transaction without its identity.", _USE_OPTIONS)

    def pipeline(self, *_: object, **__: object) -> NoReturn:
        """Refuse: where a transaction begins would be known too late."""
        raise refused("pipeline()", "It would begin a transaction without its identity.")

    def notifies(self, *_: object, **__: object) -> NoReturn:
        """Refuse: a LISTEN ends with its transaction."""
        raise refused("notifies()", "Nothing outlives a transaction here, a LISTEN neither.")

    def tpc_begin(self, *_: object, **__: object) -> NoReturn:
        """Refuse: a prepared transaction outlives its identity."""
        raise refused("a two-phase transaction", "It would outlive its identity.")

    tpc_recover = tpc_begin

    def set_autocommit(self, *_: object, **__: object) -> NoReturn:
        """Refuse: the driver begins no transaction here."""
        raise OperationRefused(
            "changing how transactions begin",
            "A transaction begins in the same round trip as its identity.",
            "Ask for it at the start: Database.session(user_id, isolation=…) or Database.reader(user_id).",
        )

    set_isolation_level = set_read_only = set_deferrable = set_autocommit


def refused(operation: str, why: str) -> OperationRefused:
    """Return the error for an entry point that cannot carry the identity."""
    return OperationRefused(operation, why, _USE_SESSION)
