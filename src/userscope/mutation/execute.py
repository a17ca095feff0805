"""Running the tests on one mutated clone after another, a few at a time."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event
from typing import Literal

import psycopg

from userscope.errors import AuditError
from userscope.mutation.mutants import Mutant
from userscope.mutation.scratch import ScratchCopy
from userscope.postgres.connect import connect
from userscope.postgres.url import ConnectionURL

Verdict = Literal["killed", "survived", "timed out", "invalid"]
type Report = Callable[[Mutant, Verdict], None]

_LEAST = 10.0
"""Seconds that a run on a mutant may take at least; otherwise several times what the unmutated run took."""


@dataclass(frozen=True)
class Execution:
    """One command, run on clones, as many at a time as there are scratch copies.

    Each runs one command at a time: suites make databases and roles of their own, which belong to a whole server, and
    so do the mutants of roles.
    """

    copies: Sequence[ScratchCopy]
    command: Sequence[str]
    timeout: float = 600.0
    """Seconds that the command may take on the database as it is."""
    stopped: Event = field(default_factory=Event)

    def run(self, mutants: Sequence[Mutant], report: Report) -> None:
        """Judge each mutant, and report it as soon as it is judged; without any, see the command pass.

        Raises AuditError where the command does not pass on the database as it is, before the mutants or after them.
        """
        limit = max(_LEAST, 5 * self._baseline(self.copies[0], "fails"))
        if not mutants:
            return
        free: SimpleQueue[ScratchCopy] = SimpleQueue()
        for copy in self.copies:
            free.put(copy)

        def judge(mutant: Mutant) -> Verdict:
            copy = free.get()
            try:
                return self._judge(copy, mutant, limit)
            finally:
                free.put(copy)

        with ThreadPoolExecutor(len(self.copies)) as pool:
            try:
                futures = {pool.submit(judge, mutant): mutant for mutant in mutants}
                for future in as_completed(futures):
                    report(futures[future], future.result())
            except BaseException:
                self.stopped.set()
                pool.shutdown(cancel_futures=True)
                raise
        for copy in self.copies:  # else something other than the mutants may have killed them
            self._baseline(copy, "no longer passes")

    def _baseline(self, copy: ScratchCopy, failing: str) -> float:
        """Prove that the command passes on an unmutated clone, and return how many seconds it takes."""
        begin = time.monotonic()
        with copy.clone() as clone, tempfile.TemporaryFile() as output:
            code = self._execute(copy.environment(clone), self.timeout, output.fileno())
            if code != 0:
                output.seek(0)
                said = output.read().decode(errors="replace").strip().splitlines()
                why = f"exit code {code}" if code is not None else f"no end within {self.timeout:g} seconds"
                raise AuditError(
                    f"the command {failing} on the unmutated database ({why}), so it tells nothing",
                    detail="\n".join(["It printed last:", *(f"    {line}" for line in said[-12:])]) if said else None,
                    hint="It is run with DATABASE_URL, AUTH_DATABASE_URL and ADMIN_DATABASE_URL set to an empty copy.",
                )
        return time.monotonic() - begin

    def _judge(self, copy: ScratchCopy, mutant: Mutant, limit: float) -> Verdict:
        with copy.clone() as clone, connect(clone, autocommit=True) as connection:
            try:
                with connection.transaction():
                    for statement in mutant.ddl:
                        connection.execute(statement.encode())
            except psycopg.Error:
                return "invalid"
            connection.close()
            try:
                code = self._execute(copy.environment(clone), limit, subprocess.DEVNULL)
            finally:
                self._undo(clone, mutant)
        return "timed out" if code is None else "survived" if code == 0 else "killed"

    def _undo(self, clone: ConnectionURL, mutant: Mutant) -> None:
        if mutant.undo:
            with connect(clone, autocommit=True) as connection:
                for statement in mutant.undo:
                    connection.execute(statement.encode())

    def _execute(self, environment: Mapping[str, str], limit: float, output: int) -> int | None:
        """Run the command in a session of its own, whose every process ends with it; None past the limit (seconds)."""
        try:
            process = subprocess.Popen(
                self.command, env=environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT if output >= 0 else output,
            )  # fmt: skip
        except OSError as error:
            shell = " ".join(self.command)
            raise AuditError(
                f'the command "{self.command[0]}" cannot be run: {(error.strerror or "").lower()}',
                hint=f"For what a shell reads, write: userscope mutate -- sh -c '{shell}'",
            ) from None
        deadline = time.monotonic() + limit
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    return process.wait(0.25)
                if time.monotonic() > deadline or self.stopped.is_set():
                    return None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
